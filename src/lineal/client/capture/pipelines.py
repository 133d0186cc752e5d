"""The pipeline that this process is a step of, and the run that stands for it.

Names are those of the pipelines' own source: Airflow (operator_helpers.py, AIRFLOW_CTX_...), Kubeflow Pipelines (argocompiler:
KFP_POD_NAME; v1's KFP_RUN_ID and WORKFLOW_ID), Argo Workflows (ARGO_NODE_ID is the workflow's name and a hash), Metaflow (METAFLOW_..., and
`metaflow.current` where a flow runs on this machine)."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from lineal.model.frozen import frozen

_NODE_HASH = re.compile(r"-\d{5,}\Z")
_MAX_CHARS = 300


@frozen
class Pipeline:
    """`run` is the pipeline's own name for this execution of it."""

    name: str
    flow: str
    run: str
    step: str | None = None
    task: str | None = None
    attempt: str | None = None

    @property
    def parent_run_id(self) -> str:
        """The same in every step, wherever it runs."""
        from lineal.journal.blobs import sha256

        told = "\0".join(("lineal pipeline", self.name, self.flow, self.run))
        return str(sha256(told.encode()).hexdigest())[:32]

    @property
    def title(self) -> str:
        return f"{self.flow} {self.run}" if self.flow and self.flow != self.run else self.run

    def content(self) -> dict[str, Any]:
        said = {"name": self.name, "flow": self.flow, "run": self.run, "step": self.step, "task": self.task}
        return {key: value for key, value in {**said, "attempt": self.attempt}.items() if value}


def find_pipeline(environ: Mapping[str, str]) -> Pipeline | None:
    """The innermost, if there are several."""
    return _metaflow(environ) or _airflow(environ) or _kubeflow(environ)


def _text(environ: Mapping[str, str], *names: str) -> str:
    for name in names:
        if value := environ.get(name):
            return _masked(value)
    return ""


def _masked(text: str) -> str:
    from lineal.client.capture.redact import mask_text  # late: its patterns take milliseconds to compile

    return mask_text(text[:_MAX_CHARS])


def _airflow(environ: Mapping[str, str]) -> Pipeline | None:
    flow = _text(environ, "AIRFLOW_CTX_DAG_ID")
    run = _text(environ, "AIRFLOW_CTX_DAG_RUN_ID", "AIRFLOW_CTX_LOGICAL_DATE", "AIRFLOW_CTX_EXECUTION_DATE")
    if not (flow and run):
        return None
    step = _text(environ, "AIRFLOW_CTX_TASK_ID")
    return Pipeline("airflow", flow, run, step, attempt=_text(environ, "AIRFLOW_CTX_TRY_NUMBER"))


def _metaflow(environ: Mapping[str, str]) -> Pipeline | None:
    flow, run = _text(environ, "METAFLOW_FLOW_NAME"), _text(environ, "METAFLOW_RUN_ID")
    if flow and run:
        step, task = _text(environ, "METAFLOW_STEP_NAME"), _text(environ, "METAFLOW_TASK_ID")
        return Pipeline("metaflow", flow, run, step, task, _text(environ, "METAFLOW_RETRY_COUNT"))
    current = getattr(sys.modules.get("metaflow"), "current", None)  # never imported here
    try:
        names = ("flow_name", "run_id", "step_name", "task_id", "retry_count")
        said = [getattr(current, name, None) for name in names]
    except Exception:
        return None
    if not (said[0] and said[1]):
        return None
    flow, run, step, task, attempt = (_masked(str(one)) if one is not None else "" for one in said)
    return Pipeline("metaflow", flow, run, step, task, attempt)


def _kubeflow(environ: Mapping[str, str]) -> Pipeline | None:
    """A pod of Kubeflow Pipelines, or of Argo Workflows on which they run."""
    node = environ.get("ARGO_NODE_ID", "")
    is_kubeflow = any(environ.get(name) for name in ("KFP_POD_NAME", "KFP_RUN_ID"))
    if not (is_kubeflow or node):
        return None
    workflow = _text(environ, "WORKFLOW_ID") or (_masked(_NODE_HASH.sub("", node[:_MAX_CHARS])) if node else "")
    run = _text(environ, "KFP_RUN_ID") or workflow
    if not run:
        return None
    step = _text(environ, "KFP_POD_NAME", "ARGO_NODE_ID", "HOSTNAME")
    flow = _text(environ, "KFP_PIPELINE_NAME") or workflow
    return Pipeline("kubeflow" if is_kubeflow else "argo", flow, run, step)
