"""The part of a run that says what it used: datasets, artifacts of other runs, registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineal.model.errors import InvalidInput, LinealError

if TYPE_CHECKING:
    from pathlib import Path

    from lineal.client.guard import Guard
    from lineal.client.uploader import Uploader
    from lineal.journal.journal import Journal
    from lineal.model.lineage import Dataset
    from lineal.record.records import Record


class InputNaming:
    """What `Run` is made of besides. It stands on `_say` and `_refuse`, which `Run` has."""

    _journal: Journal
    _uploader: Uploader | None
    _guard: Guard

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
        if used.profile is not None and '"changed_count"' in used.profile:
            self._guard.warn_once(
                f"dataset {name}",
                f"dataset {name!r:.60} was written to while it was read: its digest may be of no state that it was ever in",
            )
        self._say(used)
        return Dataset(used.name, used.digest, used.version, used.source_type, used.source, used.schema, used.profile)

    def use_artifact(self, ref: Any, path: str | None = None, *, version: int | None = None) -> Path:
        """Says that this run takes an artifact of another one, and returns where a copy of it lies, its bytes compared with the digest.

        ref      "RUN:path" or "RUN:path@2"; or a run, by its id or as `lineal.get_run` returned it, with `path`. That of a folder takes
                 the latest version of everything below it
        version  the latest without one

        The run is looked for where this one is recorded: in its folder, or on its server. Raises NotFound, InvalidInput, Damaged."""
        from lineal.client.finding import finder
        from lineal.client.used import copy_taken
        from lineal.record.records import ArtifactUsed

        taken = finder().take_artifacts(ref, path, version, *self._home)
        asked = (path if path is not None else ref.partition(":")[2]).strip("/")
        is_file = len(taken) == 1 and not taken[0].path.startswith(f"{asked}/")
        place = copy_taken(self._journal.folder.root, taken, None if is_file else asked)
        for one in taken:
            self._say(ArtifactUsed(one.run_id, one.path, one.digest, one.version))
        return place

    def use_model(self, ref: Any) -> Any:
        """Says that this run uses a version of a registered model: "NAME@ALIAS", "NAME/3", "NAME/production", or its id. Returns the
        `ModelVersion`, which is loaded by `load()` and copied by `download(folder)`. `lineal.load_model` says so by itself.

        Raises NotFound, InvalidInput."""
        from lineal.client.finding import finder

        found = finder().find_model_version(ref, *self._home)
        self._say_used_version(found.version_id, found.name)
        return found

    def _say_used_version(self, version_id: str, name: str) -> None:
        from lineal.client.reproducing import unmade
        from lineal.record.records import ModelVersionUsed

        if version_id not in unmade:
            self._say(ModelVersionUsed(version_id, name))

    @property
    def _home(self) -> tuple[str, str | None]:
        """Where the run is recorded, as `url=` and `tenant=` name it."""
        if self._uploader is not None:
            return self._uploader.address.url, self._uploader.tenant
        return self._journal.folder.root, self._journal.identity.tenant
