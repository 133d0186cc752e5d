"""What every store must do, as tests that ship. A backend's own test file is then a few lines:

    class TestMyStore(StoreSuite):
        @pytest.fixture
        def opener(self, tmp_path):
            return lambda: MyStore(tmp_path / "db")       # again, after it was closed: the same content

For a store that forgets when it is closed, set `keeps_content = False`. See also `store_machine`, which compares a store
with the memory store on random statements, and `same_answers`."""

from __future__ import annotations

from lineal.testing.suite_audit import AuditRules
from lineal.testing.suite_captures import CaptureRules
from lineal.testing.suite_console import ConsoleRules
from lineal.testing.suite_datasets import DatasetRules
from lineal.testing.suite_filters import FilterRules
from lineal.testing.suite_groups import GroupRules
from lineal.testing.suite_lineage import LineageRules
from lineal.testing.suite_lineage_graph import LineageGraphRules
from lineal.testing.suite_names import NameRules
from lineal.testing.suite_paging import PagingRules
from lineal.testing.suite_people import PeopleRules
from lineal.testing.suite_points import PointRules
from lineal.testing.suite_registry import RegistryRules
from lineal.testing.suite_renames import RenameRules
from lineal.testing.suite_runs import RunRules
from lineal.testing.suite_search import SearchRules
from lineal.testing.suite_transactions import TransactionRules
from lineal.testing.suite_webhooks import WebhookRules


class StoreSuite(
    TransactionRules,
    RunRules,
    PointRules,
    SearchRules,
    ConsoleRules,
    FilterRules,
    PagingRules,
    GroupRules,
    NameRules,
    AuditRules,
    RenameRules,
    PeopleRules,
    LineageRules,
    CaptureRules,
    LineageGraphRules,
    DatasetRules,
    RegistryRules,
    WebhookRules,
):
    """All rules of `store/contracts.py`, `store/people.py`, `store/registry.py`, `store/datasets.py` and `store/webhooks.py`, one class
    of them a subject."""
