"""lineal.runs, lineal.group_runs, names and values: over a folder, through the printed face."""

from typing import Any

import pytest

import lineal


@pytest.fixture
def folder(tmp_path):
    """Six runs: three rates, two seeds."""
    place = str(tmp_path / "notebook")
    for number, (lr, seed) in enumerate((lr, seed) for lr in (0.1, 0.01, "0.10") for seed in (1, 2)):
        params = {"lr": lr, "seed": seed, "flag": seed == 1}
        with lineal.init(
            url=place, experiment=f"e{seed}", run_id=f"r{number}", name=f"n{number}", params=params
        ) as run:
            for step in range(5):
                run.log({"loss": number + 1 / (step + 1), "steps": step}, step=step)
            if number % 2:
                run.set_tags({"team": "a'b"})
            run.set_json("review", {"score": number, "by": ["ada"]})
    lineal.delete_run("r5", url=place)
    return place


def ids(found):
    return sorted(run.run_id for run in found)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ("params.lr = 0.1", ["r0", "r1", "r4"]),
        ("params.lr < 0.05 or params.seed = 2", ["r1", "r2", "r3"]),
        ("not (params.lr < 0.05 or params.seed = 2)", ["r0", "r4"]),
        ("tags.team is null", ["r0", "r2", "r4"]),
        ("tags.team = 'a''b' and name like 'n_'", ["r1", "r3"]),
        ("max(metrics.loss) >= 4 and count(metrics.loss) = 5", ["r3", "r4"]),
        ("first(metrics.steps) = 0 and mean(metrics.steps) = 2 and metrics.steps = 4", ["r0", "r1", "r2", "r3", "r4"]),
        ("json.review.score between 1 and 2 and json.review.by.0 ^= 'a'", ["r1", "r2"]),
        ("experiment = 'e1' and start_time > '2020-01-01' and status in ('finished')", ["r0", "r2", "r4"]),
        ("run_id matches '[03]$' and datasets.version is null", ["r0", "r3"]),
    ],
)
def test_filters(folder, filter, expected):
    found = lineal.runs(filter, url=folder)
    assert ids(found) == expected and found.total == len(expected) and found.next_page_token is None


def test_deleted_and_experiment(folder):
    assert ids(lineal.runs(url=folder, deleted=True)) == ["r5"]
    assert ids(lineal.runs(url=folder, experiment="e2")) == ["r1", "r3"]
    assert ids(lineal.runs("params.seed = 2", url=folder, experiment="e2", deleted=True)) == ["r5"]


def test_several_keys_of_order(folder):
    keys = ["params.lr desc", "params.seed desc", "name"]
    for order_by in (keys, ", ".join(keys)):
        assert [run.run_id for run in lineal.runs(url=folder, order_by=order_by)] == ["r1", "r0", "r4", "r3", "r2"]


def test_pages_miss_nothing_and_repeat_nothing_while_runs_arrive(folder):
    page = lineal.runs(url=folder, limit=2)
    seen = [run.run_id for run in page]
    while page.next_page_token:
        with lineal.init(url=folder) as run:
            run.log({"loss": 0.0})
        page = lineal.runs(url=folder, limit=2, page_token=page.next_page_token)
        seen += [run.run_id for run in page]
    assert seen == ["r4", "r3", "r2", "r1", "r0"]


def test_page_tokens_are_bound_to_their_question(folder):
    token = lineal.runs(url=folder, limit=2).next_page_token
    for wrong in (
        {"order_by": "name"},
        {"filter": "name = 'x'"},
        {"deleted": True},
        {"experiment": "e1"},
        {"offset": 1},
    ):
        with pytest.raises(lineal.InvalidInput) as raised:
            lineal.runs(url=folder, page_token=token, **wrong)
        assert raised.value.field == "page_token"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"filter": "params.lr == 1"}, "filter"),
        ({"order_by": ["name", "params.lr sideways"]}, "order_by"),
        ({"limit": -1}, "limit"),
        ({"limit": 50_001}, "limit"),
        ({"offset": -1}, "offset"),
        ({"page_token": "x"}, "page_token"),
    ],
)
def test_wrong_questions_name_what_is_wrong(folder, asked, field):
    with pytest.raises(lineal.InvalidInput) as raised:
        lineal.runs(url=folder, **asked)
    assert raised.value.field == field
    if field in ("filter", "order_by"):
        assert raised.value.position == 10 and raised.value.expected


def test_tables(folder):
    found = lineal.runs(url=folder, order_by="name")
    rows = found.to_list()
    assert rows[0]["params"] == {"lr": 0.1, "seed": 1, "flag": True} and rows[0]["metrics"] == {"loss": 0.2, "steps": 4}
    table = found.to_pandas()
    assert table["run_id"].tolist() == ["r0", "r1", "r2", "r3", "r4"]
    assert table["params.seed"].tolist() == [1, 2, 1, 2, 1] and table["metrics.steps"].tolist() == [4] * 5
    assert found.to_polars()["params.lr"].to_list() == ["0.1", "0.1", "0.01", "0.01", "0.10"]


def test_groups(folder):
    groups = lineal.group_runs("params.lr", metrics=["max(metrics.loss)", "metrics.none"], url=folder)
    assert [(group.values["params.lr"], group.run_count) for group in groups] == [(0.1, 3), (0.01, 2)]
    spread = groups[0].metrics["max(metrics.loss)"]
    assert (spread.count, spread.min, spread.max) == (3, 1.0, 5.0)
    assert spread.mean == pytest.approx(8 / 3) and spread.std == pytest.approx(2.0816659994661326)
    assert groups[0].metrics["metrics.none"].count == 0
    assert groups[0].run_ids == ("r4", "r1", "r0")
    flags = lineal.group_runs(["params.flag", "experiment"], filter="params.lr < 0.05", url=folder)
    assert [group.values for group in flags] == [
        {"params.flag": False, "experiment": "e2"},
        {"params.flag": True, "experiment": "e1"},
    ]
    assert len(lineal.group_runs("run_id", url=folder, limit=2)) == 2
    for order, expected in (("params.seed", [1, 2]), ("params.seed desc", [2, 1]), ("metrics.loss desc", [1, 2])):
        groups = lineal.group_runs("params.seed", metrics="metrics.loss", order_by=order, url=folder)
        assert [group.values["params.seed"] for group in groups] == expected, order
    with pytest.raises(lineal.InvalidInput) as raised:
        lineal.group_runs("params.lr", order_by="lr", url=folder)
    assert (raised.value.field, raised.value.position) == ("order_by", 0)
    with pytest.raises(lineal.InvalidInput) as raised:
        lineal.group_runs("lr", url=folder)
    assert (raised.value.field, raised.value.position) == ("by", 0)


def test_names_and_values(folder):
    with lineal.open_store(folder) as store:
        assert store.names("param") == ["flag", "lr", "seed"] and store.names("metric", "l") == ["loss"]
        assert store.names("json") == ["review.by.0", "review.score"] and "start_time" in store.names("attribute")
        assert store.names("tag", limit=0) == []
        assert store.values("params.lr") == ["0.01", "0.1", "0.10"] and store.values("status", "f") == ["finished"]
        assert store.values("tags.team") == ["a'b"] and store.values("metrics.loss") == []
        nonsense: Any = "nonsense"
        for wrong in (
            lambda: store.names(nonsense),
            lambda: store.values("lr"),
            lambda: store.names("tag", limit=-1),
        ):
            with pytest.raises(lineal.InvalidInput):
                wrong()


def test_the_facade_takes_several_orders_and_the_whole_language(folder):
    tracker = lineal.ExperimentTracker(tracking_uri=folder)
    found = tracker.search_runs(
        filter_string="attributes.status = 'finished' AND metrics.loss < 4 OR tags.team LIKE 'a%'",
        order_by=["params.seed DESC", "metrics.loss ASC"],
    )
    assert [run["run_id"] for run in found] == ["r1", "r3", "r0", "r2"]
