"""What Lineal answers otherwise than a stock MLflow server does to the scripts of `tests/compat/scripts`, on purpose. Each `what` and
`why` stands in docs/mlflow.md (a test holds that), and each is seen when the scripts run."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    where: str  # a pattern of the paths that `compare.differences` gives
    what: str  # the first cell of its row in docs/mlflow.md
    client: str = ""  # the only one that sees it; `sometimes`: no test has to

    def covers(self, path: str) -> bool:
        return re.search(self.where, path) is not None


DECLARED = (
    Difference(r"^kept > runs > runs \[0\] > histories > odd \[1\] > value$", "`Infinity`"),
    Difference(r"> artifacts > all > all/empty > size$", "the size of an empty file"),
    Difference(r"^said > files > list all > .* file_size$", "the size of an empty file"),
    Difference(r"> artifacts > one$", "a folder whose last file was deleted"),
    Difference(r"^said > experiments > rename to a name in use > refused$", "renaming an experiment to a name in use"),
    Difference(
        r"^kept > registered models \[\d+\] > (versions|model > latest_versions) \[\d+\] > aliases$",
        "aliases in a search for versions",
    ),
    Difference(r"> tags > mlflow.modelVersions$", "the tag `mlflow.modelVersions` of a logged model", "sometimes"),
    Difference(r"^said > inputs > interval .*max_results", "which steps a sampled history takes"),
    Difference(r"^said > registry > its versions", "renaming a registered model"),
    Difference(r"^said > registry > none to archive > refused$", "a stage that nothing can be archived from"),
    Difference(r"^said > runs > where metrics.score != 0.2", "`metrics.x != 0.2`"),
    Difference(
        r"^said > experiments > a name of it > refused$", "an invalid state (renaming a deleted experiment)", "mlflow2"
    ),
    Difference(r"^said > experiments > order \['experiment_id DESC'\]", "experiment ids", "sometimes"),
)
