/** What the server answers. Written by hand until the types generated from openapi.json replace it. */

/** JSON has no NaN or infinities: they travel as these strings. `numberOf` in lib/format.ts makes a number of either. */
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity";

export type RunStatus = "running" | "finished" | "failed" | "killed" | "lost";
export type Lifecycle = "active" | "deleted";
export type ParamValue = WireNumber | string | boolean | null;

export interface Run {
  run_id: string;
  experiment_id: string;
  parent_run_id: string | null;
  name: string;
  description: string;
  status: RunStatus;
  user_id: string | null;
  start_time: string | null;
  end_time: string | null;
  duration_seconds: number | null;
  params: Record<string, string>;
  metrics: Record<string, WireNumber>;
  tags: Record<string, string>;
  artifact_uri: string | null;
  lifecycle_stage: Lifecycle;
}

export interface RunRow extends Run {
  experiment_name: string;
  typed_params: Record<string, ParamValue>;
}

export interface RunSearch {
  filter?: string;
  order_by?: string[];
  experiments?: string[];
  lifecycle_stage?: Lifecycle | "all";
  limit?: number;
  offset?: number;
  page_token?: string;
}

export interface RunSearchAnswer {
  runs: RunRow[];
  total: number;
  next_page_token: string | null;
}

export interface Spread {
  count: number;
  mean: WireNumber | null;
  std: WireNumber | null;
  min: WireNumber | null;
  max: WireNumber | null;
}

export interface RunGroup {
  values: ParamValue[];
  run_count: number;
  aggregates: Record<string, Spread>;
  run_ids: string[];
}

export interface GroupSearch {
  by: string[];
  metrics?: string[];
  filter?: string;
  experiments?: string[];
  limit?: number;
}

export interface GroupAnswer {
  groups: RunGroup[];
  total: number;
}

export interface Experiment {
  id: string;
  name: string;
  description: string;
  artifact_location: string | null;
  lifecycle_stage: Lifecycle;
  created_at: string | null;
  last_updated: string | null;
  tags: Record<string, string>;
  run_count: number;
}

export interface ExperimentList {
  experiments: Experiment[];
  total: number;
  limit: number;
  offset: number;
}

export type FieldKind = "attribute" | "param" | "metric" | "tag" | "json";

export interface Attempt {
  attempt_id: string;
  started_at: string | null;
  ended_at: string | null;
  status: RunStatus;
  error: string | null;
  user_id: string | null;
  host: string | null;
  pid: number | null;
  resumed: boolean;
}

export interface SeriesSummary {
  name: string;
  labels: Record<string, string>;
  value_type: "float64" | "int64";
  count: number;
  nan_count: number;
  first: WireNumber | null;
  last: WireNumber | null;
  last_step: WireNumber | null;
  last_at: string | null;
  min: WireNumber | null;
  max: WireNumber | null;
  mean: WireNumber | null;
}

export interface Artifact {
  path: string;
  version: number;
  size_bytes: number | null;
  digest: string | null;
  uri: string | null;
  media_type: string | null;
  logged_at: string | null;
}

export interface MetricDefinition {
  goal: "min" | "max" | null;
  step_metric: string | null;
  unit: string | null;
}

export interface RunDetail extends RunRow {
  note: string;
  forked_from: string | null;
  fork_step: number | null;
  attempts: Attempt[];
  series: SeriesSummary[];
  artifacts: Artifact[];
  metric_definitions: Record<string, MetricDefinition>;
  conflicts: { name: string; kept: ParamValue; refused: ParamValue }[];
  losses: Record<string, number>;
  document_names: string[];
  children: { run_id: string; name: string; status: RunStatus }[];
}

export interface Health {
  status: string;
  version: string;
  folder: string;
  change_number: number;
}

export interface Comparison {
  runs: { run_id: string; name: string; status: RunStatus; params: Record<string, string>; metrics: Record<string, WireNumber> }[];
  comparison: {
    best_run: string | null;
    metric_comparison: Record<
      string,
      { best_run_id: string | null; best_value: WireNumber | null; all_values: Record<string, WireNumber> }
    >;
  };
}

/** RFC 9457 problem JSON. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  field?: string;
  position?: number;
  expected?: string | string[];
}
