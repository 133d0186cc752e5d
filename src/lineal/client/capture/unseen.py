"""A program started so that the program which is recorded never meets it: no os.wait() gets its number, no handler of SIGCHLD hears of
its end. On Linux with glibc, where that can be had; elsewhere whoever asks starts it as a child.

wait(2) hands out children of one kind only: those whose end sends SIGCHLD. clone(2) makes one that sends nothing ("clone child", to be
waited for by __WALL alone); it starts the program in its turn and ends at once, which leaves the program to init. Exec would make
a usual child of it, so what starts the program must be a function of this very process: posix_spawn(3), with six arguments, where
clone's function has one - which makecontext(3) and setcontext(3) are for. As within posix_spawn itself the memory is shared and the calling
thread stands still until the child has ended (CLONE_VM, CLONE_VFORK), with all signals blocked: nothing is copied, however large
the process is, and no line of Python runs in the child."""

from __future__ import annotations

import functools
import mmap
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_CLONE_VM, _CLONE_FS, _CLONE_FILES, _CLONE_VFORK = 0x100, 0x200, 0x400, 0x4000
_WALL = 0x40000000
_SETPGROUP, _SETSIGDEF, _SETSIGMASK = 0x02, 0x04, 0x08
_MACHINES = ("x86_64", "aarch64")
_STACK_BYTES = 64 * 1024
_OPAQUE_BYTES = 8 * 1024
"""More than any of the structs that only the C library looks into: ucontext_t of aarch64 has 4.5 KiB."""
_LINK_AT = 8
"""Of a ucontext_t on both machines: flags, then the context that follows, then the stack."""


def start_unseen(
    program: str,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    descriptors: Sequence[int],
    defaults: Iterable[signal.Signals],
) -> int | None:
    """The number of its process and of its process group; None where it has to be started in another way. It reads nothing; `descriptors`
    are its 1, 2, 3 ...; signals in `defaults` do there what they usually do."""
    found = library()
    if found is None:
        return None
    import ctypes

    with mmap.mmap(-1, 3 * _STACK_BYTES) as memory:
        anchor = ctypes.c_char.from_buffer(memory)
        try:
            return _start(found, ctypes, ctypes.addressof(anchor), program, arguments, environ, descriptors, defaults)
        finally:
            del anchor  # the memory cannot be given back before


@functools.cache
def library() -> Any:
    """The C library, where all of this can be had. Loads modules: first within `imports.IMPORTS`."""
    if sys.platform != "linux" or os.uname().machine not in _MACHINES or sys.maxsize < 1 << 32:
        return None
    try:
        import ctypes

        library = ctypes.CDLL("libc.so.6", use_errno=True)  # glibc's own, whatever was loaded before it
        for name in ("gnu_get_libc_version", "getcontext", "makecontext", "setcontext", "clone", "posix_spawn"):
            getattr(library, name)
    except (ImportError, OSError, AttributeError):
        return None
    return library


def _start(
    library: Any,
    ctypes: Any,
    memory: int,
    program: str,
    arguments: Sequence[str],
    environ: Mapping[str, str],
    descriptors: Sequence[int],
    defaults: Iterable[signal.Signals],
) -> int | None:
    pointer = ctypes.c_void_p
    actions, attributes, last, first, usual, nothing = (ctypes.create_string_buffer(_OPAQUE_BYTES) for _ in range(6))
    library.posix_spawn_file_actions_init(actions)
    library.posix_spawnattr_init(attributes)
    library.posix_spawn_file_actions_addopen(actions, 0, os.devnull.encode(), os.O_RDONLY, 0)
    for number, descriptor in enumerate(descriptors, 1):
        library.posix_spawn_file_actions_adddup2(actions, descriptor, number)
    library.sigemptyset(usual)
    library.sigemptyset(nothing)
    for one in defaults:
        library.sigaddset(usual, int(one))
    library.posix_spawnattr_setsigdefault(attributes, usual)
    library.posix_spawnattr_setsigmask(attributes, nothing)
    library.posix_spawnattr_setpgroup(attributes, 0)
    library.posix_spawnattr_setflags(attributes, ctypes.c_short(_SETPGROUP | _SETSIGDEF | _SETSIGMASK))
    words = [os.fsencode(one) for one in arguments]
    pairs = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in environ.items()]
    argv, envp = (ctypes.c_char_p * (len(words) + 1))(*words), (ctypes.c_char_p * (len(pairs) + 1))(*pairs)
    path, number = ctypes.c_char_p(os.fsencode(program)), ctypes.c_int(0)

    def place_of(name: str) -> Any:
        return ctypes.cast(getattr(library, name), pointer)

    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        for context, follows, stack in ((last, None, memory), (first, ctypes.addressof(last), memory + _STACK_BYTES)):
            if library.getcontext(context) != 0:
                return None
            link_and_stack = (pointer * 4)(follows, stack, 0, _STACK_BYTES)
            ctypes.memmove(ctypes.addressof(context) + _LINK_AT, link_and_stack, ctypes.sizeof(link_and_stack))
        library.makecontext(last, place_of("_exit"), 1, pointer(0))
        library.makecontext(
            first, place_of("posix_spawn"), 6, ctypes.byref(number), path, actions, attributes, argv, envp
        )
        flags = _CLONE_VM | _CLONE_FS | _CLONE_FILES | _CLONE_VFORK
        child = library.clone(place_of("setcontext"), pointer(memory + 3 * _STACK_BYTES), flags, first)
        if child > 0:
            _forget(child)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        library.posix_spawn_file_actions_destroy(actions)
        library.posix_spawnattr_destroy(attributes)
    return int(number.value) or None


def _forget(child: int) -> None:
    try:
        os.waitpid(child, _WALL)
    except ChildProcessError:
        pass
