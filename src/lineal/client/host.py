"""Who and where this process is, as far as it can be known in microseconds."""

from __future__ import annotations

import functools
import os

from lineal.model.values import clean_text


@functools.cache
def host_name() -> str:
    return clean_text(os.uname().nodename)


@functools.cache
def boot_id() -> str:
    """The kernel's boot id: equal in all containers of one kernel, new after a reboot. "" where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def user_id() -> str | None:
    """The login name; None for a uid without one."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if name := os.environ.get(variable):
            return clean_text(name)
    return _name_of(os.getuid())


@functools.cache
def _name_of(user: int) -> str | None:
    """By the system's list of users, which may be a server's."""
    try:
        import pwd

        return clean_text(pwd.getpwuid(user).pw_name)
    except (ImportError, KeyError):
        return None


def rank_from_environment() -> int | None:
    """The rank that a launcher (torchrun, accelerate, DeepSpeed) gave this process; None outside of one."""
    if int_of("WORLD_SIZE", 1) > 1 and "RANK" in os.environ:
        return int_of("RANK", 0)
    return None


def int_of(variable: str, default: int) -> int:
    try:
        return int(os.environ.get(variable, default))
    except ValueError:
        return default
