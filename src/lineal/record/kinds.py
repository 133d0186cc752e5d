"""The numbers of `spec/record.md`. A new kind is spec + golden file + number + changelog in one commit."""

from __future__ import annotations

MAGIC = b"LNLS\x01\x00\r\n"
FORMAT_VERSION = 1

SEGMENT_OPENED = 1
LAYOUT_DEFINED = 2
SEGMENT_SEALED = 3
ATTEMPT_STARTED = 16
ATTEMPT_ENDED = 17
PARAMS_SET = 18
TAGS_SET = 19
NOTE_SET = 20
NAME_SET = 21
DOCUMENT_SET = 22
METRIC_DEFINED = 23
ARTIFACT_LOGGED = 24
LOST = 25
POINTS_APPENDED = 26
EXPERIMENT_SET = 48
RUN_LIFECYCLE_SET = 49
RUN_TAGS_SET = 50
EXPERIMENT_RENAMED = 51
RUN_LOCK_SET = 54

KNOWN = frozenset((1, 2, 3, *range(16, 27), 48, 49, 50, 51, 54))
