"""What every test can rely on: a hypothesis profile, and nothing of the developer's own Lineal settings.

LINEAL_TEST_PROFILE chooses the profile. `ci` (the default) repeats the same examples on every machine, so
that red means the change. `torture` searches with fresh seeds, prints the blob that replays a failure, and
admits the tests marked `torture`.
"""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import new_url, own_server, postgres, postgres_folders, postgres_url, schema  # noqa: F401 (fixtures)

# Before anything imports lineal: a LINEAL_URL from somebody's shell must not receive the tests' runs.
for _name in list(os.environ):
    if _name.startswith("LINEAL_") and not _name.startswith("LINEAL_TEST_"):
        del os.environ[_name]

# A suite of a thousand runs records itself once, where its own tests turn that on.
os.environ["LINEAL_CAPTURE"] = os.environ.get("LINEAL_TEST_CAPTURE", "none")

PROFILE = os.environ.get("LINEAL_TEST_PROFILE", "ci")

# No deadline: the machines are shared, and a slow example is not a wrong one.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "torture",
    derandomize=False,
    deadline=None,
    max_examples=2_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(PROFILE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """A run that a test has left open is no other test's current one: which test comes next is the scheduler's choice."""
    try:
        yield
    finally:
        session = sys.modules.get("lineal.client.session")
        while session is not None and (run := session.current_run()) is not None:
            run.finish()


def pytest_report_header(config: pytest.Config) -> str:
    return f"lineal: test profile {PROFILE}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if PROFILE == "torture":
        return
    spared = [item for item in items if item.get_closest_marker("torture")]
    if spared:
        config.hook.pytest_deselected(items=spared)
        items[:] = [item for item in items if not item.get_closest_marker("torture")]
