"""MLflow's filters and orders mean here what they mean there."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from lineal.server.compat.mlflow.artifact_uris import middles
from tests.server.compat.asking import Mlflow

NUMBER = 0


@pytest.fixture
def runs(mlflow: Mlflow) -> dict[str, str]:
    """By name: a (oldest) to e."""
    made = {}
    rows: dict[str, dict[str, Any]] = {
        "a": {"metrics": {"loss": 0.1, "m/x y": 1}, "params": {"kind": "cnn", "lr": "0.1"}, "tags": {"team": "Red"}},
        "b": {"metrics": {"loss": 0.5}, "params": {"kind": "mlp", "max depth": "6"}, "tags": {"team": "blue"}},
        "c": {"metrics": {"loss": "NaN"}, "params": {"kind": "CNN"}, "tags": {"a.b-c": "x"}},
        "d": {"metrics": {"loss": "Infinity", "neg": -2.5}, "params": {}, "tags": {}},
        "e": {"metrics": {}, "params": {"kind": "it's"}, "tags": {"team": "red_x"}},
    }
    for at, (name, row) in enumerate(rows.items()):
        run = mlflow.run(run_name=name, start_time=1_000 + at, user_id="anna" if at < 2 else "ben")
        mlflow.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": key, "value": value, "timestamp": 1} for key, value in row["metrics"].items()],
            params=[{"key": key, "value": value} for key, value in row["params"].items()],
            tags=[{"key": key, "value": value} for key, value in row["tags"].items()],
        )
        made[name] = run
    mlflow.post("runs/update", run_id=made["b"], status="FAILED", end_time=5_000)
    return made


def names(mlflow: Mlflow, runs: dict[str, str], **more: Any) -> str:
    by_id = {run: name for name, run in runs.items()}
    return "".join(by_id[run] for run in mlflow.found(**more))


FILTERS = {
    "": "edcba",
    "metrics.loss < 0.3": "a",
    "metric.loss >= 0.1 AND metrics.loss <= 0.5": "ba",
    "metrics.loss > 0.1": "db",
    "metrics.loss != 0.1": "db",
    "metrics.`m/x y` = 1": "a",
    'metrics."m/x y" = 1.0': "a",
    "metrics.neg = -2.5": "d",
    "params.kind = 'cnn'": "a",
    'params.kind = "cnn"': "a",
    "parameter.kind != 'cnn'": "ecb",
    "params.kind LIKE 'c%'": "a",
    "params.kind ilike 'C%'": "ca",
    "params.`max depth` = '6'": "b",
    "param.kind IS NULL": "d",
    "params.kind IS NOT NULL": "ecba",
    "tags.team IS NULL AND params.kind IS NOT NULL": "c",
    "tags.`a.b-c` = 'x'": "c",
    "tags.a.b-c = 'x'": "c",
    "tag.team ILIKE 're%'": "ea",
    "tags.team LIKE 'red_x'": "e",
    "tags.mlflow.runName = 'b'": "b",
    "tags.`mlflow.runName` != 'b'": "edca",
    "status = 'FAILED'": "b",
    "attributes.status != 'RUNNING'": "b",
    "attr.status LIKE 'RUN%'": "edca",
    "status ILIKE 'fail%'": "b",
    "status = 'failed'": "",
    "run_name = 'a'": "a",
    "run.run_name LIKE 'a%'": "a",
    "\"run name\" = 'a'": "a",
    "attribute.`Run name` = 'c'": "c",
    "user_id = 'anna'": "ba",
    "start_time >= 1003": "ed",
    "created < 1001": "a",
    "end_time = 5000": "b",
    "params.kind = 'cnn' and tags.team = 'Red' AND metrics.loss < 1": "a",
}


def test_filters(mlflow: Mlflow, runs: dict[str, str]) -> None:
    wrong = {
        text: found for text, expected in FILTERS.items() if (found := names(mlflow, runs, filter=text)) != expected
    }
    assert not wrong
    a, b = runs["a"], runs["b"]
    assert names(mlflow, runs, filter=f"run_id = '{a}'") == "a"
    assert names(mlflow, runs, filter=f"attributes.run_id IN ('{a}', \"{b}\",'none')") == "ba"
    assert names(mlflow, runs, filter=f"run_id NOT IN ('{a}')") == "edcb"


def test_artifact_uris_are_compared(mlflow: Mlflow) -> None:
    far = mlflow.experiment("far", artifact_location="s3://b%20/x?a=1")
    here, there = mlflow.run(), mlflow.run(far)

    def found(text: str, *experiments: str) -> set[str]:
        return set(mlflow.found(*(experiments or ("0", far)), filter=f"attributes.artifact_uri {text}"))

    uri = mlflow.get("runs/get", run_id=there)["run"]["info"]["artifact_uri"]
    assert uri == f"s3://b%20/x/{there}/artifacts?a=1"
    near = f"mlflow-artifacts:/0/{here}/artifacts"
    for text, expected in (
        (f"= '{near}'", {here}),
        (f"= '{near.upper()}'", set()),
        (f"= '{near}/x'", set()),
        (f"= 'mlflow-artifacts:/1/{here}/artifacts'", set()),
        (f"= 's3://b%20/x/{here}/artifacts?a=1'", set()),
        (f"= '{uri}'", {there}),
        (f"!= '{uri}'", {here}),
        ("!= 'else'", {here, there}),
        ("= ''", set()),
        (f"LIKE '%{here}%'", {here}),
        (f"LIKE '%{here[:9]}%'", {here}),
        (f"LIKE '%{there[-9:]}%'", {there}),
        (f"LIKE '%{here.upper()}%X'", set()),
        (f"ILIKE '%{here.upper()}%'", {here}),
        (f"ILIKE 'S3:%{there[5:].upper()}/ARTI_ACTS?%'", {there}),
        ("LIKE 's3://%'", {there}),
        ("LIKE '%/artifacts'", {here}),
        ("LIKE 'else%'", set()),
        ("LIKE '%'", {here, there}),
    ):
        assert found(text) == expected, text
    assert found("LIKE '%'", far) == {there}
    many = {"experiment_ids": ["0"], "filter": f"artifact_uri LIKE '{'%a%r%t%i%f%a%c%t%s' * 9}'"}
    mlflow.refused("POST", "runs/search", "INVALID_PARAMETER_VALUE", "too many ways", json=many)


def test_what_is_between_is_asked_for_by_patterns() -> None:
    """Tried out on all short patterns."""
    for pattern in map("".join, (one for size in range(5) for one in product("ab%_", repeat=size))):
        for head, tail, text in product(("", "a", "ab"), ("", "b", "ba"), ("", "a", "ba", "aab")):
            whole = _is_like(pattern, head + text + tail)
            assert whole == any(_is_like(one, text) for one in middles(pattern, head, tail)), (pattern, head, tail)


def _is_like(pattern: str, text: str) -> bool:
    """The oracle: by hand."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_is_like(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and _is_like(pattern[1:], text[1:])


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("metrics.loss < 0.3 OR metrics.loss > 1", "Invalid clause(s) in filter string"),
        ("(metrics.loss < 0.3)", "Invalid clause(s) in filter string"),
        ("metrics.loss <", "Invalid clause(s) in filter string"),
        ("metrics.loss < 0.3 AND", "Invalid clause(s) in filter string"),
        ("metrics.loss LIKE 'x'", "Expected numeric value type for metric"),
        ("metrics.loss = 'x'", "Expected numeric value type for metric. Found 'x'"),
        ("params.lr = 0.1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 0.1"),
        ("params.lr > '0.1'", "Invalid comparator '>' not one of"),
        ("attributes.nothing = 'x'", "Invalid attribute key 'nothing' specified"),
        ("model.loss = 1", "Invalid entity type 'model'"),
        ("dataset.size = 'x'", "Invalid dataset key 'size'"),
        ("start_time = 'x'", "Expected numeric value type for numeric attribute: start_time"),
        ("metrics.loss IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params"),
        ("status IN ('FAILED')", "Only the 'run_id' attribute supports comparison with a list"),
        ("run_id IN ()", "expected a non-empty list"),
        ("run_id IN (1, 2)", "While parsing a list in the query"),
        ("params.kind = 'it's'", "Invalid clause(s) in filter string"),
    ],
)
def test_a_wrong_filter_is_refused(one_mlflow: Mlflow, text: str, fragment: str) -> None:
    one_mlflow.refused(
        "POST", "runs/search", "INVALID_PARAMETER_VALUE", fragment, json={"experiment_ids": ["0"], "filter": text}
    )


def test_orders(mlflow: Mlflow, runs: dict[str, str]) -> None:
    for order, expected in (
        (["metrics.loss"], "abdce"),
        (["metrics.loss DESC"], "dbace"),
        (["params.kind ASC"], "caebd"[0] + "aebd"),
        (["tags.team desc"], "ebadc"),
        (["start_time"], "abcde"),
        (["attributes.start_time DESC"], "edcba"),
        (["status", "run_name desc"], "bedca"),
        (["`run_name`"], "abcde"),
    ):
        assert names(mlflow, runs, order_by=order) == expected, order
    for order, fragment in (
        (["metrics.loss sideways"], "Invalid ordering key"),
        (["metrics.loss ASC extra"], "Invalid order_by clause"),
        (["nothing.x"], "Invalid entity type"),
        (["metrics.loss", "metrics.loss DESC"], "duplicate fields"),
    ):
        mlflow.refused(
            "POST",
            "runs/search",
            "INVALID_PARAMETER_VALUE",
            fragment,
            json={"experiment_ids": ["0"], "order_by": order},
        )


def test_pages_of_runs(mlflow: Mlflow, runs: dict[str, str]) -> None:
    found: list[str] = []
    token = ""
    while True:
        page = mlflow.post(
            "runs/search", experiment_ids=["0"], max_results=2, order_by=["metrics.loss"], page_token=token
        )
        found += [run["info"]["run_name"] for run in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert found == ["a", "b", "d", "c", "e"]
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"page_token": "evil"}, "page token"),
        ({"max_results": 50_001}, "Invalid value 50001 for parameter 'max_results' supplied"),
        ({"max_results": 0}, "Invalid value for request parameter max_results"),
        ({"max_results": "x"}, "Invalid value \"x\" for parameter 'max_results' supplied"),
        ({"run_view_type": "SOME"}, "run_view_type"),
    )
    for more, fragment in wrong:
        mlflow.refused(
            "POST", "runs/search", "INVALID_PARAMETER_VALUE", fragment, json={"experiment_ids": ["0"], **more}
        )


def test_only_the_experiments_that_are_asked_for(mlflow: Mlflow) -> None:
    one, other = mlflow.experiment("one"), mlflow.experiment("other")
    first, second = mlflow.run(one), mlflow.run(other)
    assert mlflow.found(one) == [first] and set(mlflow.found(one, other, "12345")) == {first, second}
    assert mlflow.found("12345") == [] and mlflow.post("runs/search", experiment_ids=[]) == {}
    mlflow.post("runs/delete", run_id=first)
    assert mlflow.found(one) == [] and mlflow.found(one, run_view_type="DELETED_ONLY") == [first]
    assert set(mlflow.found(one, other, run_view_type="ALL")) == {first, second}


def test_a_nested_run_is_found_by_its_parent(mlflow: Mlflow) -> None:
    parent = mlflow.run()
    child = mlflow.run(tags=[{"key": "mlflow.parentRunId", "value": parent}])
    assert mlflow.found(filter=f"tags.mlflow.parentRunId = '{parent}'") == [child]
    assert mlflow.found(filter="tags.`mlflow.parentRunId` IS NULL") == [parent]


def test_experiments_are_searched(mlflow: Mlflow) -> None:
    for name, team in (("Anna", "red"), ("ben", "blue"), ("anton", "red")):
        mlflow.experiment(name, tags=[{"key": "team", "value": team}])

    def found(**more: Any) -> list[str]:
        return [one["name"] for one in mlflow.post("experiments/search", **more).get("experiments", [])]

    assert found(order_by=["name"]) == ["Anna", "Default", "anton", "ben"]
    assert found(order_by=["name DESC"], filter="tags.team = 'red'") == ["anton", "Anna"]
    assert found(filter="name ILIKE 'an%'", order_by=["name"]) == ["Anna", "anton"]
    assert found(filter="attribute.name LIKE 'an%'") == ["anton"]
    assert found(filter="tags.team IS NULL") == ["Default"]
    assert found(filter="creation_time > 1000 AND tag.team != 'red'") == ["ben"]
    by_age = sorted(
        (
            mlflow.get("experiments/get-by-name", experiment_name=name)["experiment"]
            for name in ("Anna", "ben", "anton")
        ),
        key=lambda one: (one["creation_time"], int(one["experiment_id"])),
    )
    assert found(order_by=["experiment_id"]) == ["Default", *(one["name"] for one in by_age)]
    assert found(order_by=["experiment_id DESC"]) == found()
    page = mlflow.get("experiments/search", order_by=["name"], max_results=3)
    assert [one["name"] for one in page["experiments"]] == ["Anna", "Default", "anton"]
    page = mlflow.get("experiments/search", order_by=["name"], max_results=3, page_token=page["next_page_token"])
    assert [one["name"] for one in page["experiments"]] == ["ben"] and "next_page_token" not in page
    for more, fragment in (
        ({"filter": "x = 1"}, "Invalid attribute key 'x'"),
        ({"filter": "metrics.x = 1"}, "Invalid entity type"),
        ({"order_by": ["tags.x"]}, "Invalid order_by entity"),
        ({"page_token": "%%"}, "Invalid page token"),
        ({"max_results": 50_001}, "max_results"),
    ):
        mlflow.refused("POST", "experiments/search", "INVALID_PARAMETER_VALUE", fragment, json=more)
