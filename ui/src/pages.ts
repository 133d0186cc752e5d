/** The pages, each loaded when it is first asked for. */

import type { Component } from "svelte";
import type { Route } from "./lib/routes.ts";

export const PAGES: Record<Route["page"], () => Promise<{ default: Component<never> }>> = {
  runs: () => import("./routes/RunsPage.svelte"),
  run: () => import("./routes/RunPage.svelte"),
  compare: () => import("./routes/ComparePage.svelte"),
  models: () => import("./routes/ModelsPage.svelte"),
  model: () => import("./routes/ModelPage.svelte"),
  version: () => import("./routes/VersionPage.svelte"),
  datasets: () => import("./routes/DatasetsPage.svelte"),
  dataset: () => import("./routes/DatasetPage.svelte"),
  lineage: () => import("./routes/LineagePage.svelte"),
  tokens: () => import("./routes/TokensPage.svelte"),
  missing: () => import("./routes/MissingPage.svelte"),
};
