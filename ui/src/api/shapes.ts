/** What the server takes and answers, by short names. The types are generated from its OpenAPI document: `npm run types`. */

import type { components } from "./schema.ts";

type Schemas = components["schemas"];

/** JSON has no NaN or infinities: they travel as these strings. `numberOf` in lib/format.ts makes a number of either. */
export type WireNumber = Schemas["Number"];
/** NaN and infinities of params are those strings too. */
export type ParamValue = Schemas["Scalar"];

export type Run = Schemas["Run"];
export type RunRow = Schemas["RunRow"];
export type RunDetail = Schemas["RunDetail"];
export type RunStatus = Run["status"];
export type Lifecycle = Run["lifecycle_stage"];
export type RunSearch = Schemas["SearchRuns"];
export type RunSearchAnswer = Schemas["RunsPage"];

export type GroupSearch = Schemas["GroupRuns"];
export type GroupAnswer = Schemas["GroupsPage"];
export type RunGroup = Schemas["RunGroup"];
export type Spread = Schemas["Spread"];

export type Experiment = Schemas["Experiment"];
export type ExperimentList = Schemas["ExperimentsPage"];

export type FieldKind = "attribute" | "param" | "metric" | "tag" | "json";
export type FieldNames = Schemas["FieldNames"];
export type FilterChecked = Schemas["FilterChecked"];
export type FieldValues = Schemas["FieldValues"];

export type Attempt = Schemas["Attempt"];
export type DatasetUse = Schemas["DatasetUse"];
export type SeriesSummary = Schemas["SeriesSummary"];
export type Artifact = Schemas["Artifact"];
export type MetricDefinition = Schemas["MetricDefinition"];
export type Health = Schemas["Health"];
export type Comparison = Schemas["RunsCompared"];
export type Change = Schemas["Change"];

export type ConsolePage = Schemas["ConsolePage"];
export type LineageAnswer = Schemas["Lineage"];
export type Difference = Schemas["Difference"];
export type Comparable = Schemas["Comparable"];
export type CaptureList = Schemas["CapturesList"];

export type SessionInfo = Schemas["SessionInfo"];
export type Role = Schemas["TenantRole"]["role"];
export type TokenInfo = Schemas["TokenInfo"];
export type NewToken = Schemas["NewToken"];
export type TokensList = Schemas["TokensList"];

export type RegisteredModel = Schemas["Registered"];
export type RegisteredPage = Schemas["RegisteredPage"];
export type ModelVersion = Schemas["Version"];
export type VersionsPage = Schemas["VersionsPage"];
export type Stage = ModelVersion["stage"];
export type Transition = Schemas["Transition"];
export type TransitionsPage = Schemas["TransitionsPage"];
export type Why = Schemas["WhyVersion"];
export type Choice = NonNullable<Why["choice"]>;

export type DatasetEntry = Schemas["Dataset"];
export type DatasetsPage = Schemas["DatasetsPage"];
export type DatasetDetail = Schemas["DatasetDetail"];
export type DatasetVersion = Schemas["DatasetVersion"];
export type DatasetVersionsPage = Schemas["DatasetVersionsPage"];
export type DatasetUser = Schemas["DatasetUser"];
export type DatasetUsersPage = Schemas["DatasetUsersPage"];
export type DatasetModel = Schemas["DatasetModel"];
export type DatasetModelsPage = Schemas["DatasetModelsPage"];

/** A refusal; a proxy's may be anything, so nothing is sure to be there. */
export type Problem = Partial<Schemas["Problem"]>;
