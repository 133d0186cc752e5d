"""Which variables of the environment are kept: a list of names, never all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lineal.client.capture.redact import mask_variables
from lineal.model.limits import CAPTURE_VARIABLE_MAX_BYTES

# What changes results or speed, and is the same for all processes of one launch.
ENVIRONMENT = frozenset(
    [
        "CUBLAS_WORKSPACE_CONFIG",
        "CUDA_DEVICE_ORDER",
        "CUDA_HOME",
        "CUDA_LAUNCH_BLOCKING",
        "CUDA_MODULE_LOADING",
        "GOMP_CPU_AFFINITY",
        "JAX_ENABLE_X64",
        "JAX_PLATFORMS",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
        "MALLOC_ARENA_MAX",
        "MKL_CBWR",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NVIDIA_TF32_OVERRIDE",
        "OMP_NUM_THREADS",
        "OMP_PROC_BIND",
        "OPENBLAS_NUM_THREADS",
        "PYTHONHASHSEED",
        "PYTHONNOUSERSITE",
        "PYTHONOPTIMIZE",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
        "PYTORCH_CUDA_ALLOC_CONF",
        "TF_CUDNN_DETERMINISTIC",
        "TF_DETERMINISTIC_OPS",
        "TF_ENABLE_ONEDNN_OPTS",
        "TOKENIZERS_PARALLELISM",
        "TZ",
        "VECLIB_MAXIMUM_THREADS",
        "XLA_FLAGS",
    ]
)
_PREFIXES = ("KMP_", "NCCL_", "TORCH_CUDNN_", "TORCHINDUCTOR_")
# What differs between the processes of one launch.
EXECUTION = frozenset(["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"])


def of_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return _kept(environ, lambda name: name in ENVIRONMENT or name.startswith(_PREFIXES))


def of_execution(environ: Mapping[str, str]) -> dict[str, str]:
    """Those, and what LINEAL_CAPTURE_VARIABLES names."""
    chosen = {name.strip() for name in environ.get("LINEAL_CAPTURE_VARIABLES", "").split(",") if name.strip()}
    beginnings = tuple(name[:-1] for name in chosen if name.endswith("*") and len(name) > 1)
    return _kept(environ, lambda name: name in EXECUTION or name in chosen or name.startswith(beginnings))


def _kept(environ: Mapping[str, str], is_kept: Callable[[str], bool]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if is_kept(name)}
    return {name: value[:CAPTURE_VARIABLE_MAX_BYTES] for name, value in mask_variables(kept).items()}
