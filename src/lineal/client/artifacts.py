"""The part of a run that keeps files with it: each becomes a blob of the folder, and a record that names it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lineal.client.given import artifact_path, finite, media_type, reference
from lineal.journal import blobs
from lineal.model.errors import InvalidInput, LinealError
from lineal.model.values import clean_text
from lineal.record.records import ArtifactLogged

if TYPE_CHECKING:
    from lineal.client.guard import Guard
    from lineal.client.model_log import LoggedVersion
    from lineal.client.uploader import Uploader
    from lineal.journal.journal import Journal
    from lineal.record.records import Record


class ArtifactKeeping:
    """What `Run` is made of besides points and words. It stands on `_say` and `_refuse`, which `Run` has."""

    _journal: Journal
    _guard: Guard
    _uploader: Uploader | None

    @property
    def run_id(self) -> str:
        return self._journal.identity.run_id or ""

    @property
    def tenant(self) -> str:
        return self._journal.identity.tenant

    @property
    def folder(self) -> str:
        """The Lineal folder that this run is recorded in."""
        return self._journal.folder.root

    if TYPE_CHECKING:

        def _say(self, record: Record) -> None: ...
        def _refuse(self, reason: str, message: str, count: int = 1, *, detail: str | None = None) -> None: ...

    def log_artifact(
        self,
        local_path: str | os.PathLike[str],
        path: str | None = None,
        *,
        mode: Literal["copy", "move", "reference"] = "copy",
        digest: str | None = None,
    ) -> None:
        """Keeps a file, or every file of a folder (except those of Lineal's own), with the run. Safe when the call returns.

        path  folder within the run's artifacts ("models"); the file keeps its own name
        mode  "copy" (a reflink where possible), "move", or "reference": a URI or path of which only the name, the size if it is
              a file here, and `digest` if given are recorded, never the bytes

        Raises NotFound for a missing file, InvalidInput for a path that leads outside."""
        folder = artifact_path(path)
        if mode == "reference":
            self._say(reference(os.fspath(local_path), folder, digest))
            return
        if mode not in ("copy", "move"):
            raise InvalidInput(f"mode {mode!r} is not one of 'copy', 'move', 'reference'", field="mode")
        source = Path(local_path)
        if source.is_dir():
            own = Path(self.folder)
            for item in sorted(
                item for item in source.rglob("*") if item.is_file() and own not in item.absolute().parents
            ):
                inner = "/".join(
                    part for part in (folder, item.relative_to(source).parent.as_posix()) if part not in ("", ".")
                )
                self._keep_file(item, inner, mode)
        else:
            self._keep_file(source, folder, mode)

    def log_text(self, text: str, artifact_file: str) -> None:
        """Keeps a text as an artifact under that path."""
        self._keep_bytes(clean_text(text).encode(), artifact_file)

    def log_dict(self, dictionary: Any, artifact_file: str) -> None:
        """Keeps a dictionary as a JSON (or, by its suffix .yaml or .yml, YAML) artifact."""
        if artifact_file.lower().endswith((".yaml", ".yml")):
            import yaml

            text = yaml.safe_dump(dictionary, sort_keys=False, allow_unicode=True)
        else:
            import json

            text = json.dumps(finite(dictionary), indent=2, default=str, ensure_ascii=False, allow_nan=False)
        self.log_text(text, artifact_file)

    def log_figure(self, figure: Any, artifact_file: str) -> None:
        """Keeps a matplotlib or plotly figure as an artifact; the suffix says in which format."""
        import io

        buffer = io.BytesIO()
        suffix = artifact_file.rpartition(".")[2].lower()
        if hasattr(figure, "savefig"):
            figure.savefig(buffer, format=suffix)
        elif hasattr(figure, "write_html"):
            buffer.write(figure.to_html().encode() if suffix in ("html", "htm") else figure.to_image(format=suffix))
        else:
            raise InvalidInput(f"{type(figure).__name__} is neither a matplotlib nor a plotly figure", field="figure")
        self._keep_bytes(buffer.getvalue(), artifact_file)

    def _keep_file(self, source: Path, folder: str, mode: blobs.TakeMode) -> blobs.Blob | None:
        """None if the disk refuses."""
        path = artifact_path(f"{folder}/{source.name}" if folder else source.name)
        try:
            self._journal.folder.ensure()
            blob = blobs.add_file(self._journal.folder, self.tenant, str(source), mode=mode)
        except LinealError:
            raise
        except OSError as error:
            self._refuse("artifact_not_kept", f"artifact {path!r} could not be kept: {error}", detail=path)
            return None
        return self._say_kept(path, blob)

    def _keep_own(self, path: str, content: bytes, known: blobs.Blob | None = None) -> blobs.Blob | None:
        """A file of Lineal's own, below its folder; `known`: what it is as a blob. What is kept already is not written again: many
        runs share it."""
        blob = known or blobs.Blob(blobs.sha256(content).hexdigest(), len(content))
        if blobs.keep_blob(self._journal.folder, self.tenant, blob.digest) is not None:
            return self._say_kept(path, blob)
        return self._keep_bytes(content, path, is_own=True)

    def _keep_bytes(self, content: bytes, artifact_file: str, *, is_own: bool = False) -> blobs.Blob | None:
        path = artifact_path(artifact_file, is_own=is_own)
        if not path:
            raise InvalidInput("artifact_file is empty", field="artifact_file")
        try:
            self._journal.folder.ensure()
            blob = blobs.add_bytes(self._journal.folder, self.tenant, content)
        except LinealError:
            raise
        except OSError as error:
            self._refuse("artifact_not_kept", f"artifact {path!r} could not be kept: {error}", detail=path)
            return None
        return self._say_kept(path, blob)

    def _say_kept(self, path: str, blob: blobs.Blob) -> blobs.Blob:
        self._say(ArtifactLogged(path, blob.size_bytes, blob.digest, None, media_type(path)))
        if self._uploader is not None:
            self._uploader.add_blob(self.tenant, blob)
        return blob

    def log_model(
        self,
        name: str,
        model: Any,
        *,
        path: str | None = None,
        format: str | None = None,
        signature: Any = None,
        input_example: Any = None,
        description: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> LoggedVersion:
        """Keeps a model with the run and makes it a version of the registered model `name`, which is made if it is new.

        model          a path (a file or folder, kept as it is), a dict of arrays, a torch module (its arrays), an ONNX model, or any
                       object, which skops writes, or pickle (with a warning) where skops cannot
        path           folder within the run's artifacts; without one models/NAME
        format         "safetensors", "onnx", "skops", "joblib" or "pickle", instead of the safest that fits
        signature      a dict, or an object that gives one; without it, names, types and shapes of the input example
        input_example  an array, table, dict or list of a few rows

        Works without a server: the version's number is given when the journal is taken in. Raises InvalidInput for what cannot be
        kept, NotFound for a missing file."""
        from lineal.client.model_log import log_model

        return log_model(
            self,
            name,
            model,
            path=path,
            format=format,
            signature=signature,
            input_example=input_example,
            description=description,
            tags=tags,
        )
