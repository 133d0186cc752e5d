/**
 * What a run recorded by itself, parsed at the door: every part may be missing, and every value may be of another kind than
 * expected (another client wrote it, an older one did). What cannot be read is left out, never an error.
 */

import { formatBytes } from "../../lib/format.ts";

export interface FileRef {
  path: string;
  digest: string | null;
  sizeBytes: number | null;
}
export interface NamedFile {
  name: string;
  digest: string | null;
  sizeBytes: number | null;
}
export interface LeftOut {
  name: string;
  sizeBytes: number | null;
  why: string;
}

export interface Execution {
  command: string[];
  entryKind: string | null;
  entryName: string | null;
  folder: string | null;
  user: string | null;
  host: string | null;
  launcher: Fact[];
  pipeline: Fact[];
  variables: Fact[];
}
export interface Submodule {
  path: string;
  commit: string | null;
  remote: string | null;
  isDirty: boolean;
}
export interface Code {
  kind: string;
  commit: string | null;
  branch: string | null;
  remote: string | null;
  root: string | null;
  folder: string | null;
  entry: string | null;
  digest: string | null;
  /** Null: whether anything was not committed is not known. */
  isDirty: boolean | null;
  isDetached: boolean;
  patch: FileRef | null;
  /** What was executed in a notebook. */
  cells: FileRef | null;
  /** Of untracked files, or of a snapshot. */
  archive: FileRef | null;
  files: NamedFile[];
  leftOut: LeftOut[];
  /** Modules that were imported from outside of the tree, named without their first "/". */
  elsewhere: { archive: FileRef | null; files: NamedFile[] };
  submodules: Submodule[];
  trouble: string[];
}
export interface Package {
  name: string;
  version: string;
  /** Where it came from, if not from an index. */
  source: string | null;
}
export interface Environment {
  python: Fact[];
  pythonVersion: string | null;
  packages: Package[];
  /** Those of a large environment that are not recorded by name. */
  packagesLeftOut: number;
  lock: FileRef | null;
  system: Fact[];
  variables: Fact[];
}
export interface Hardware {
  facts: Fact[];
  gpus: { name: string; memoryBytes: number | null }[];
}
export interface Source {
  kind: string;
  name: string | null;
  params: string[];
  file: FileRef | null;
}
export interface Resources {
  wallS: number | null;
  cpuHours: number | null;
  gpuHours: number | null;
  peakMemoryBytes: number | null;
  peakGpuMemoryBytes: number | null;
  diskReadBytes: number | null;
  diskWrittenBytes: number | null;
  networkReceivedBytes: number | null;
  networkSentBytes: number | null;
  energyWh: number | null;
  gpuIdleShare: number | null;
  /** By currency: a table of prices may have been another one in another attempt. */
  costs: { amount: number; currency: string }[];
}
export type Fact = readonly [name: string, value: string];

export interface Captures {
  execution: Execution | null;
  code: Code | null;
  environment: Environment | null;
  hardware: Hardware | null;
  sources: Source[];
  resources: Resources | null;
}

/** One row of the route's answer. */
export interface CaptureRow {
  attempt_id: string;
  part: string;
  /** When it was said. */
  time?: string | null;
  content?: unknown;
}

export const NO_CAPTURES: Captures = { execution: null, code: null, environment: null, hardware: null, sources: [], resources: null };

/** Rows come latest attempt first: of each part the first one is it. */
export function readCaptures(rows: readonly CaptureRow[]): Captures {
  const of = (part: string): Fields | null => {
    const row = rows.find((one) => one.part === part);
    return row === undefined ? null : fieldsOf(row.content);
  };
  const [execution, code, environment, hardware] = [of("execution"), of("code"), of("environment"), of("hardware")];
  return {
    execution: execution && readExecution(execution),
    code: code && readCode(code),
    environment: environment && readEnvironment(environment),
    hardware: hardware && readHardware(hardware),
    sources: listOf(of("sources")?.["sources"]).map(readSource),
    resources: readResources(rows),
  };
}

const NATURAL = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function readExecution(from: Fields): Execution {
  const entry = fieldsOf(from["entry_point"]);
  return {
    command: textsOf(from["command"]),
    entryKind: textOf(entry["kind"]),
    entryName: textOf(entry["name"]),
    folder: textOf(from["folder"]),
    user: textOf(from["user"]),
    host: textOf(from["host"]),
    launcher: factsOf(from["launcher"]),
    pipeline: factsOf(from["pipeline"]),
    variables: factsOf(from["variables"]),
  };
}

/** Of what nothing was recorded. */
export const NO_CODE: Code = readCode({});

function readCode(from: Fields): Code {
  const patch = fileOf(from["patch"]);
  const untracked = fieldsOf(from["untracked"]);
  const snapshot = fieldsOf(from["snapshot"]);
  const kept = Object.keys(snapshot).length > 0 ? snapshot : untracked;
  const elsewhere = fieldsOf(from["elsewhere"]);
  return {
    kind: textOf(from["kind"]) ?? "none",
    commit: textOf(from["commit"]),
    branch: textOf(from["branch"]),
    remote: textOf(from["remote"]),
    root: textOf(from["root"]),
    folder: textOf(from["folder"]),
    entry: textOf(from["entry"]),
    digest: textOf(from["digest"]),
    isDirty: typeof from["is_dirty"] === "boolean" ? from["is_dirty"] : null,
    isDetached: from["branch"] === null,
    patch,
    cells: fileOf(from["cells"]),
    archive: fileOf(kept["archive"]),
    files: namedOf(kept["files"]),
    leftOut: rowsOf(kept["left_out"]).map(([name, size, why]) => ({ name: textOf(name) ?? "", sizeBytes: numberOf(size), why: textOf(why) ?? "" })),
    elsewhere: { archive: fileOf(elsewhere["archive"]), files: namedOf(elsewhere["files"]) },
    submodules: listOf(from["submodules"]).map((one) => {
      const of = fieldsOf(one);
      return { path: textOf(of["path"]) ?? "", commit: textOf(of["commit"]), remote: textOf(of["remote"]), isDirty: of["is_dirty"] === true };
    }),
    trouble: textsOf(from["trouble"]),
  };
}

function namedOf(rows: unknown): NamedFile[] {
  return rowsOf(rows).map(([name, digest, size]) => ({ name: textOf(name) ?? "", digest: textOf(digest), sizeBytes: numberOf(size) }));
}

function readEnvironment(from: Fields): Environment {
  const direct = fieldsOf(from["direct"]);
  const python = fieldsOf(from["python"]);
  const system = [...factsOf(from["os"], ["name", "version"]), ...factsOf(from["container"]).map(([name, value]): Fact => [`container ${name}`, value]), ...factsOf(from["conda"]).map(([name, value]): Fact => [`conda ${name}`, value])];
  return {
    python: factsOf(python, ["version", "implementation", "kind"]),
    pythonVersion: textOf(python["version"]),
    packages: Object.entries(fieldsOf(from["packages"]))
      .map(([name, version]) => ({ name, version: textOf(version) ?? "", source: sourceText(direct[name]) }))
      .sort((a, b) => NATURAL.compare(a.name, b.name)),
    packagesLeftOut: numberOf(from["packages_left_out"]) ?? 0,
    lock: fileOf(from["lock"]),
    system,
    variables: factsOf(from["variables"]),
  };
}

function sourceText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  const of = fieldsOf(value);
  const [url, commit] = [textOf(of["url"]), textOf(of["commit"])];
  const where = [url, commit].filter((text) => text !== null).join(" @ ");
  return of["editable"] === true ? `editable${where === "" ? "" : `, ${where}`}` : where || null;
}

function readHardware(from: Fields): Hardware {
  const cpu = fieldsOf(from["cpu"]);
  const limits = fieldsOf(from["limits"]);
  const facts: Fact[] = [];
  const add = (name: string, value: unknown): void => {
    const text = textOf(value);
    if (text !== null && text !== "") facts.push([name, text]);
  };
  add("processor", cpu["model"]);
  add("cores", cpu["available"] !== undefined && cpu["available"] !== cpu["count"] ? `${textOf(cpu["available"])} of ${textOf(cpu["count"])}` : cpu["count"]);
  add("memory", bytesText(numberOf(from["memory_bytes"])));
  add("core limit", limits["cpus"]);
  add("memory limit", bytesText(numberOf(limits["memory_bytes"])));
  add("driver", from["driver"]);
  add("CUDA of the driver", from["driver_cuda"]);
  add("CUDA", from["cuda"]);
  add("cuDNN", from["cudnn"]);
  const gpus = listOf(from["gpus"]).map((one) => ({ name: textOf(fieldsOf(one)["name"]) ?? "GPU", memoryBytes: numberOf(fieldsOf(one)["memory_bytes"]) }));
  return { facts, gpus };
}

function readSource(one: unknown): Source {
  const of = fieldsOf(one);
  return { kind: textOf(of["kind"]) ?? "", name: textOf(of["name"]), params: textsOf(of["params"]), file: fileOf(of["file"]) };
}

/** Of all attempts and ranks: ranks add up, their peaks too, since they live at once; attempts follow each other. */
function readResources(rows: readonly CaptureRow[]): Resources | null {
  const lives = rows.filter((row) => row.part.split(".")[0] === "resources").map(lifeOf);
  if (lives.length === 0) return null;
  const attempts = byAttempt(lives).map((of) => of.map(({ content }) => content));
  const all = attempts.flat();
  const sum = (of: readonly Fields[], name: string): number | null => of.map((one) => numberOf(one[name])).reduce((before, value) => (value === null ? before : (before ?? 0) + value), null);
  const largest = (values: readonly (number | null)[]): number | null => values.reduce((before, value) => (value === null ? before : Math.max(before ?? value, value)), null);
  const peak = (name: string): number | null => largest(byAttempt(lives).map((of) => peakOf(of, name)));
  const idle = all.flatMap((one): [number, number][] => {
    const [share, hours] = [numberOf(one["gpu_idle_share"]), numberOf(one["gpu_hours"])];
    return share === null || !hours ? [] : [[share * hours, hours]];
  });
  const costs = new Map<string, number>();
  for (const one of all) {
    const cost = fieldsOf(one["cost"]);
    const [amount, currency] = [numberOf(cost["amount"]), textOf(cost["currency"]) ?? ""];
    if (amount !== null) costs.set(currency, (costs.get(currency) ?? 0) + amount);
  }
  return {
    wallS: attempts.map((ranks) => largest(ranks.map((one) => numberOf(one["wall_s"])))).reduce((before, value) => (value === null ? before : (before ?? 0) + value), null),
    cpuHours: sum(all, "cpu_hours"),
    gpuHours: sum(all, "gpu_hours"),
    peakMemoryBytes: peak("peak_memory_bytes"),
    peakGpuMemoryBytes: peak("peak_gpu_memory_bytes"),
    diskReadBytes: sum(all, "disk_read_bytes"),
    diskWrittenBytes: sum(all, "disk_written_bytes"),
    networkReceivedBytes: sum(all, "network_received_bytes"),
    networkSentBytes: sum(all, "network_sent_bytes"),
    energyWh: sum(all, "energy_wh"),
    gpuIdleShare: idle.length === 0 ? null : idle.reduce((before, [part]) => before + part, 0) / idle.reduce((before, [, hours]) => before + hours, 0),
    costs: [...costs].map(([currency, amount]) => ({ amount, currency })).sort((a, b) => a.currency.localeCompare(b.currency)),
  };
}

/** What one process said that it used, and when it lived. `rank` "" is what opened the attempt. */
interface Life {
  attemptId: string;
  rank: string;
  begunMs: number;
  saidMs: number;
  content: Fields;
}

function lifeOf(row: CaptureRow): Life {
  const content = fieldsOf(row.content);
  const saidMs = Date.parse(row.time ?? "") || 0;
  return { attemptId: row.attempt_id, rank: row.part.split(".")[1] ?? "", begunMs: saidMs - (numberOf(content["wall_s"]) ?? 0) * 1000, saidMs, content };
}

/** Ranks above 0 open no attempt, and name one that may be over, or none: theirs is the one beside which they lived, of several the one that ended last. */
function byAttempt(lives: readonly Life[]): Life[][] {
  const attempts = new Map<string, Life[]>();
  const add = (attemptId: string, life: Life): void => void attempts.set(attemptId, [...(attempts.get(attemptId) ?? []), life]);
  const first = lives.filter(({ rank }) => rank === "");
  for (const life of first) add(life.attemptId, life);
  const gap = (a: Life, b: Life): number => Math.max(a.begunMs, b.begunMs) - Math.min(a.saidMs, b.saidMs);
  for (const life of lives.filter(({ rank }) => rank !== "")) {
    const beside = first.toSorted((a, b) => gap(a, life) - gap(b, life) || b.saidMs - a.saidMs)[0];
    add(beside?.attemptId ?? life.attemptId, life);
  }
  return [...attempts.values()];
}

/** Ranks live at once; the lives of one rank, which died and began again, do not. */
function peakOf(lives: readonly Life[], name: string): number | null {
  const ranks = new Map<string, number>();
  for (const { rank, content } of lives) {
    const value = numberOf(content[name]);
    if (value !== null) ranks.set(rank, Math.max(value, ranks.get(rank) ?? value));
  }
  return ranks.size === 0 ? null : [...ranks.values()].reduce((before, value) => before + value, 0);
}

/** Another client's run tells its script and no more. */
export function startedText(execution: Execution | null): string {
  return commandText(execution?.command ?? []) || (execution?.entryName ?? "");
}

/** As a shell would take it: quoted where it must be. */
export function commandText(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
function rowsOf(value: unknown): readonly (readonly unknown[])[] {
  return listOf(value).map((row) => (Array.isArray(row) ? (row as unknown[]) : [row]));
}
function textsOf(value: unknown): string[] {
  return listOf(value).flatMap((one) => textOf(one) ?? []);
}
function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
function fileOf(value: unknown): FileRef | null {
  const of = fieldsOf(value);
  const path = textOf(of["path"]);
  return path === null ? null : { path, digest: textOf(of["digest"]), sizeBytes: numberOf(of["size_bytes"]) };
}
/** Those named come first, in that order; the others follow by name, as JSON keeps them. */
function factsOf(value: unknown, first: readonly string[] = []): Fact[] {
  const fields = fieldsOf(value);
  const ordered = [...first.filter((name) => name in fields), ...Object.keys(fields).filter((name) => !first.includes(name))];
  return ordered.map((name) => [name, fields[name]] as const).flatMap(([name, one]): Fact[] => {
    const text = textOf(one) ?? (one === null || one === undefined ? null : JSON.stringify(one));
    return text === null || text === "" ? [] : [[name.replaceAll("_", " "), text]];
  });
}
function bytesText(bytes: number | null): string | null {
  return bytes === null ? null : formatBytes(bytes);
}

