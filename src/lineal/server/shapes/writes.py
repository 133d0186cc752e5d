"""What is written by requests, version 1 of the contract, and what is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lineal.model.limits import DESCRIPTION_MAX_CHARS, EXPERIMENT_NAME_MAX_CHARS, LEASE_MAX_S
from lineal.server.shapes.audit import Head
from lineal.server.shapes.numbers import NonFinite, Scalar
from lineal.server.shapes.runs import Artifact

Name = Annotated[str, Meta(min_length=1, max_length=EXPERIMENT_NAME_MAX_CHARS)]
Description = Annotated[str, Meta(max_length=DESCRIPTION_MAX_CHARS)]
Tags = Annotated[
    dict[str, Scalar], Meta(description="Values become text. In a change, null removes the tag; else it says nothing.")
]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799_999, description="Milliseconds since the epoch; now without one.")]
Value = int | float | NonFinite
Step = Annotated[
    int | float, Meta(description="Without one: behind the run's last step, counting up where a name comes again.")
]


class CreateExperiment(Struct, frozen=True):
    """null is as good as leaving a field out."""

    name: Name
    description: Description | None = None
    artifact_location: str | None = None
    tags: Tags | None = None


class EditExperiment(Struct, frozen=True):
    """What is left out stays. A tag set to null is removed."""

    name: Name | None = None
    description: Description | None = None
    tags: Tags | None = None


class CreateRun(Struct, frozen=True):
    """`run_id`: a client's own, 1 to 256 letters, digits, "_" and "-"; a known one answers that run."""

    experiment_id: str
    name: str | None = None
    description: Description | None = None
    tags: Tags | None = None
    run_id: str | None = None
    parent_run_id: str | None = None
    user_id: str | None = None


class LogMetrics(Struct, frozen=True):
    metrics: dict[str, Value]
    step: Step | None = None
    timestamp: Time | None = None


class LogParams(Struct, frozen=True):
    params: dict[str, Scalar]


class MetricEntry(Struct, frozen=True, gc=False):
    key: str
    value: Value
    step: Step | None = None
    timestamp: Time | None = None


class ParamEntry(Struct, frozen=True):
    key: str
    value: Scalar


class TagEntry(Struct, frozen=True):
    key: str
    value: Scalar


class LogBatch(Struct, frozen=True):
    """All of it or nothing. null is as good as leaving a field out."""

    metrics: list[MetricEntry] | None = None
    params: list[ParamEntry] | None = None
    tags: list[TagEntry] | None = None


class Logged(Struct, frozen=True):
    """`count`: of what the request said."""

    message: str
    run_id: str
    count: int


class ArtifactForm(Struct, frozen=True):
    """`file`: the bytes, with their name; `artifact_path`: a folder within the run's artifacts. Or `digest`: of bytes that are
    kept already (PUT /api/v1/blobs/DIGEST); `artifact_path` is the whole path then."""

    file: Annotated[str, Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})] | UnsetType = UNSET
    artifact_path: str = ""
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | UnsetType = UNSET


class ArtifactAnswer(Struct, frozen=True):
    message: str
    run_id: str
    artifact: Artifact


class AskEnd(Struct, frozen=True):
    status: Literal["finished", "failed", "killed"] = "finished"


class RunEnded(Struct, frozen=True):
    message: str
    run_id: str
    status: Literal["finished", "failed", "killed"]
    duration_seconds: Annotated[float, Meta(ge=0)]


class AskJournal(Struct, frozen=True):
    """`offset`: where in the segment the bytes begin. `final`: nobody writes that segment any more, and they are its end.
    `dead`: nor anything else, since its writer is gone. `lost`: what is missing before them is not to be had any more.
    `lease_s`: the writer will be heard of again within so many seconds, else its run is lost until it is; 0 gives that up.
    `asks`: whether the run should stop is to be answered, too."""

    offset: Annotated[int, Meta(ge=0, le=2**53)]
    segment: Annotated[int, Meta(ge=0, le=2**31)] = 1
    final: bool = False
    dead: bool = False
    lost: bool = False
    lease_s: Annotated[int, Meta(ge=0, le=LEASE_MAX_S)] | None = None
    asks: bool = False


class JournalTaken(Struct, frozen=True):
    """Everything before `offset` of that segment is on disk: the next bytes to send. `records`: the number of the writer's last
    record there. `head`: of the tenant's audit chain, to be kept: history written anew later contradicts it."""

    offset: int
    segment: int
    records: int
    head: Head | None = None
    stop: Annotated[bool, Meta(description="Somebody asked the run to stop. Only told to those who ask.")] = False


class StopAsked(Struct, frozen=True):
    message: str
    run_id: str


class BlobKept(Struct, frozen=True):
    digest: str
    size_bytes: int


class Ready(Struct, frozen=True):
    status: Literal["ready"]
