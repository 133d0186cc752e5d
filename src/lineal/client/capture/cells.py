"""What was executed in a notebook or an IPython shell, cell by cell, as a script: "# %%" lines, which editors and jupytext read."""

from __future__ import annotations

from typing import Any

from lineal.client.capture.execution import ipython_shell

CELLS_PATH = ".lineal/code/cells.py"


def executed_cells() -> bytes | None:
    """In the order of execution, so far, with whatever secrets stand in them; None outside of IPython. Lines for the
    shell (`%pip`, `!ls`) are comments."""
    shell = ipython_shell()
    if shell is None:
        return None
    history: Any = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    cells = [str(one) for one in history if str(one).strip()] if isinstance(history, list) else []
    if not cells:
        return None
    text = "\n\n".join(f"# %% [{number}]\n{_plain(cell)}" for number, cell in enumerate(cells, 1)) + "\n"
    return text.encode("utf-8", "replace")


def _plain(cell: str) -> str:
    if cell.lstrip().startswith("%%"):  # the whole cell is for something else
        return "\n".join(f"# {line}" for line in cell.rstrip().split("\n"))
    lines = cell.rstrip().split("\n")
    return "\n".join(f"# {line}" if line.lstrip().startswith(("%", "!", "?")) else line for line in lines)
