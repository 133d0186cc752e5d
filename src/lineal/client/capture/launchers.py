"""Who started this process, read from the variables that launchers set.

Names are those of the launchers' own documentation and source: torchrun ("torchrun (Elastic Launch)", Environment Variables), Open MPI
(mpirun(1)), PMI (MPICH's Hydra), Slurm (srun(1), OUTPUT ENVIRONMENT VARIABLES), Ray (src/ray/common/constants.h), Kubernetes ("Service
environment variables"; Job's JOB_COMPLETION_INDEX)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lineal.client.capture.redact import mask_value

_NAMESPACE_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"


class _Launcher(NamedTuple):
    """`sign`: a variable that only this launcher sets. `numbers` are ranks and counts, `texts` everything else."""

    name: str
    sign: str
    numbers: dict[str, str]
    texts: dict[str, str]


# From the innermost to the outermost: the first is the one that started this very process.
_LAUNCHERS = (
    _Launcher(
        "torchrun",
        "TORCHELASTIC_RUN_ID",
        {
            "rank": "RANK",
            "world_size": "WORLD_SIZE",
            "local_rank": "LOCAL_RANK",
            "local_world_size": "LOCAL_WORLD_SIZE",
            "group_rank": "GROUP_RANK",
            "restart_count": "TORCHELASTIC_RESTART_COUNT",
        },
        {"run": "TORCHELASTIC_RUN_ID", "master": "MASTER_ADDR"},
    ),
    _Launcher(
        "openmpi",
        "OMPI_COMM_WORLD_RANK",
        {
            "rank": "OMPI_COMM_WORLD_RANK",
            "world_size": "OMPI_COMM_WORLD_SIZE",
            "local_rank": "OMPI_COMM_WORLD_LOCAL_RANK",
        },
        {},
    ),
    _Launcher("mpi", "PMI_RANK", {"rank": "PMI_RANK", "world_size": "PMI_SIZE"}, {}),
    _Launcher(
        "ray",
        "RAY_JOB_ID",
        {"raylet_pid": "RAY_RAYLET_PID"},
        {"job": "RAY_JOB_ID", "node": "RAY_NODE_ID", "address": "RAY_ADDRESS"},
    ),
    _Launcher(
        "slurm",
        "SLURM_JOB_ID",
        {
            "rank": "SLURM_PROCID",
            "world_size": "SLURM_NTASKS",
            "local_rank": "SLURM_LOCALID",
            "node_rank": "SLURM_NODEID",
            "node_count": "SLURM_JOB_NUM_NODES",
            "array_task": "SLURM_ARRAY_TASK_ID",
            "restart_count": "SLURM_RESTART_COUNT",
        },
        {
            "job": "SLURM_JOB_ID",
            "job_name": "SLURM_JOB_NAME",
            "step": "SLURM_STEP_ID",
            "array_job": "SLURM_ARRAY_JOB_ID",
            "cluster": "SLURM_CLUSTER_NAME",
            "partition": "SLURM_JOB_PARTITION",
            "nodes": "SLURM_JOB_NODELIST",
        },
    ),
    _Launcher(
        "kubernetes",
        "KUBERNETES_SERVICE_HOST",
        {"completion_index": "JOB_COMPLETION_INDEX"},
        {"pod": "HOSTNAME", "pod_name": "POD_NAME", "namespace": "POD_NAMESPACE", "node": "NODE_NAME"},
    ),
)


def find_launchers(environ: Mapping[str, str], namespace_file: str = _NAMESPACE_FILE) -> list[dict[str, Any]]:
    """Each that had a part in it, the innermost first."""
    found = [_read(launcher, environ) for launcher in _LAUNCHERS if environ.get(launcher.sign)]
    if not found and environ.get("RANK", "").isdecimal() and environ.get("WORLD_SIZE", "").isdecimal():
        # accelerate, DeepSpeed, torch.distributed.launch: the same variables without a sign of their own
        numbers = {"rank": "RANK", "world_size": "WORLD_SIZE", "local_rank": "LOCAL_RANK"}
        found.append(_read(_Launcher("distributed", "RANK", numbers, {"master": "MASTER_ADDR"}), environ))
    for one in found:
        if one["name"] == "kubernetes" and "namespace" not in one:
            try:
                with open(namespace_file, encoding="utf-8") as file:
                    one["namespace"] = file.read(300).strip()
            except (OSError, ValueError):
                pass
    return found


def _read(launcher: _Launcher, environ: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"name": launcher.name}
    for key, variable in launcher.numbers.items():
        text = environ.get(variable, "")
        if text.isascii() and text.isdecimal():
            said[key] = int(text[:18])
    for key, variable in launcher.texts.items():
        if text := environ.get(variable, ""):
            said[key] = mask_value("", text[:1000])
    return said
