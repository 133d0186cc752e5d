// Runs to test with.

import type { RunDetail, SeriesSummary } from "../../api/shapes.ts";

export function exampleSeries(name: string, last: SeriesSummary["last"], more: Partial<SeriesSummary> = {}): SeriesSummary {
  return { name, labels: {}, value_type: "float64", count: 10, nan_count: 0, first: 1, last, last_step: 9, last_at: "2026-11-25T10:00:00.000Z", min: last, max: last, mean: last, ...more };
}

export function exampleRun(runId: string, more: Partial<RunDetail> = {}): RunDetail {
  return {
    run_id: runId, experiment_id: "e", experiment_name: "digits", parent_run_id: null, name: runId, description: "", status: "finished", user_id: "ada",
    start_time: "2026-11-25T10:00:00.000Z", end_time: "2026-11-25T10:01:00.000Z", duration_seconds: 60, params: {}, typed_params: {}, metrics: {}, tags: {},
    artifact_uri: null, lifecycle_stage: "active", locked: false, note: "", forked_from: null, content_digest: null, fork_step: null, attempts: [], series: [], artifacts: [], metric_definitions: {}, conflicts: [], losses: {},
    document_names: [], console_line_count: 0, datasets: [], models: [], artifact_uses: [], version_uses: [], children: [], ...more,
  };
}
