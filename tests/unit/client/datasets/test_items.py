"""Datasets that make their items when they are asked for; and those of torch and Hugging Face, where these are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lineal.client.datasets import items
from lineal.client.datasets.describe import describe
from lineal.client.datasets.items import of_items
from lineal.model.errors import InvalidInput


class Pairs:
    """Items as a torch dataset makes them."""

    def __init__(self, *numbers: int, order: str = "C") -> None:
        self.numbers = numbers
        self.order = order

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Any:
        number = self.numbers[place]
        array = np.array([[number, 1], [2, 3]], np.float32, order=self.order)  # type: ignore[call-overload]
        return {"x": array, "y": (number, f"n{number}", None, b"raw")}


def test_items_are_digested_by_their_content() -> None:
    found = of_items(Pairs(1, 2, 3))
    assert (found.total, found.digested) == (3, 3)
    assert found.shape == {
        "x": {"dtype": "float32", "shape": [2, 2]},
        "y": ["int", "str", "NoneType", {"$bytes": "str"}],
    }
    assert of_items(Pairs(1, 2, 3, order="F")).digest == found.digest
    others = [Pairs(1, 2), Pairs(3, 2, 1), Pairs(1, 2, 4), Pairs()]
    assert len({found.digest, *(of_items(one).digest for one in others)}) == 5


def test_of_many_items_the_first_ones_count_and_the_digest_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    two = of_items(Pairs(1, 2))
    monkeypatch.setattr(items, "DATASET_ITEMS_MAX_COUNT", 2)
    found = of_items(Pairs(1, 2, 3))
    assert (found.total, found.digested) == (3, 2)
    assert found.digest == of_items(Pairs(1, 2, 9)).digest != two.digest
    assert found.digest != of_items(Pairs(1, 2, 3, 4)).digest


def test_what_has_no_digest() -> None:
    with pytest.raises(InvalidInput, match="type object"):
        of_items([object()])
    with pytest.raises(InvalidInput, match="gone through"):
        of_items(iter([1]))


def test_a_package_of_the_same_name_is_not_hugging_faces(tmp_path: Path) -> None:
    own = type("Own", (), {"__module__": "datasets.mine"})
    with pytest.raises(InvalidInput, match=r"data of type datasets\.mine\.Own"):
        describe(own(), str(tmp_path))


def test_datasets_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    x, y = torch.zeros(3, 2), torch.ones(3)
    tensors = describe(torch.utils.data.TensorDataset(x, y), str(tmp_path))
    assert tensors.digest == describe((x.numpy(), y.numpy()), str(tmp_path)).digest

    class Made(torch.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __len__(self) -> int:
            return 3

        def __getitem__(self, place: int) -> Any:
            return x[place], int(y[place])

    made = describe(Made(), str(tmp_path))
    assert made.source_type == "torch" and made.digest == of_items([(x[n].numpy(), 1) for n in range(3)]).digest


def test_datasets_of_hugging_face(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    values = {"a": [1, 2, 3], "t": ["x", None, "z"]}
    table = datasets.Dataset.from_dict(values)
    found = describe(table, str(tmp_path))
    assert found.source_type == "huggingface"
    assert found.digest == describe(pl.DataFrame(values), str(tmp_path)).digest
    assert (
        describe(table.select([2, 0]), str(tmp_path)).digest
        == describe(pl.DataFrame(values)[[2, 0]], str(tmp_path)).digest
    )
    with pytest.raises(InvalidInput, match="streamed"):
        describe(table.to_iterable_dataset(), str(tmp_path))
