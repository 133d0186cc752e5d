"""The part of a run that says what it used: datasets, artifacts of other runs, registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineal.model.errors import InvalidInput, LinealError

if TYPE_CHECKING:
    from lineal.journal.journal import Journal
    from lineal.model.lineage import Dataset
    from lineal.record.records import Record


class InputNaming:
    """What `Run` is made of besides. It stands on `_say` and `_refuse`, which `Run` has."""

    _journal: Journal

    if TYPE_CHECKING:

        def _say(self, record: Record) -> None: ...
        def _refuse(self, reason: str, message: str, count: int = 1, *, detail: str | None = None) -> None: ...

    def log_dataset(
        self,
        name: str,
        data: Any = None,
        *,
        version: str | None = None,
        context: str | None = None,
        source: str | None = None,
        digest: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> Dataset | None:
        """Records that the run used this data, by a digest of its content: the same data has the same digest everywhere.

        data     a path, a pattern such as "data/*.csv", or a URI; an array of numpy or torch; a table of pandas, polars or pyarrow; a
                 dataset of torch or Hugging Face; or a dict, tuple or list of these
        version  what you call this state of it
        context  what it was used for: "training", "validation" ...
        source   where data in memory comes from
        digest   of data that was digested already: then it is not read. A URI is never read; without a digest its own is of the address

        Returns when the digest is known, which takes as long as reading the data once; files that did not change since are not read
        again. Raises NotFound for a missing file, InvalidInput for what has no digest. None if the disk refuses to be read, which is
        counted as lost."""
        from lineal.client.datasets.log import dataset_used
        from lineal.model.lineage import Dataset

        try:
            used = dataset_used(
                name,
                data,
                self._journal.folder.root,
                version=version,
                context=context,
                source=source,
                digest=digest,
                tags=tags,
            )
        except LinealError:
            raise
        except OSError as error:
            self._refuse("dataset_not_read", f"dataset {name!r:.60} could not be read: {error}", detail=name)
            return None
        except (TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise InvalidInput(
                f"dataset {name!r:.60} could not be digested: {error}; say its digest (digest=)"
            ) from error
        self._say(used)
        return Dataset(used.name, used.digest, used.version, used.source_type, used.source, used.schema, used.profile)
