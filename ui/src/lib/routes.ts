/** The page's addresses: built and read here, nowhere else. */

import { base, withoutBase } from "./base.ts";

export type Route =
  | { page: "runs"; experimentId: string | null }
  | { page: "run"; runId: string }
  | { page: "compare" }
  | { page: "models" }
  | { page: "model"; name: string }
  | { page: "version"; name: string; version: number }
  | { page: "datasets" }
  | { page: "dataset"; name: string }
  | { page: "lineage" }
  | { page: "tokens" }
  | { page: "missing" };

type Query = Record<string, string | readonly string[] | null | undefined>;

/** Commas and slashes stay readable in the address bar; a comma inside a list's item is escaped once more. */
export function encodeQuery(query: Query): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    const text = typeof value === "string" ? value : value.map((item) => item.replaceAll("%", "%25").replaceAll(",", "%2C")).join(",");
    if (text !== "") parts.push(`${encodeURIComponent(name)}=${encodeText(text)}`);
  }
  return parts.length ? `?${parts.join("&")}` : "";
}

function encodeText(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%2C", ",")
    .replaceAll("%2F", "/")
    .replaceAll("%3A", ":")
    .replaceAll("%20", "+");
}

export function decodeList(text: string | null): string[] {
  if (!text) return [];
  return text.split(",").map((item) => item.replaceAll("%2C", ",").replaceAll("%25", "%"));
}

/** A tenant chosen in the address stays chosen: it travels with every link. */
function withTenant(query: Query): Query {
  // Asked for every row of a table: most addresses name none.
  if (typeof location === "undefined" || !location.search.includes("tenant=")) return query;
  const tenant = new URLSearchParams(location.search).get("tenant");
  return tenant ? { tenant, ...query } : query;
}

export const to = {
  runs: (experimentId: string | null = null, query: Query = {}): string =>
    base + (experimentId === null ? "/" : `/experiments/${encodeURIComponent(experimentId)}`) + encodeQuery(withTenant(query)),
  run: (runId: string, query: Query = {}): string => `${base}/runs/${encodeURIComponent(runId)}${encodeQuery(withTenant(query))}`,
  models: (): string => `${base}/models${encodeQuery(withTenant({}))}`,
  model: (name: string, query: Query = {}): string => `${base}/models/${encodeURIComponent(name)}${encodeQuery(withTenant(query))}`,
  version: (name: string, version: number, query: Query = {}): string =>
    `${base}/models/${encodeURIComponent(name)}/${version}${encodeQuery(withTenant(query))}`,
  datasets: (): string => `${base}/datasets${encodeQuery(withTenant({}))}`,
  /** `name` may be a digest, too; `digest` chooses a version of a name. */
  dataset: (name: string, digest: string | null = null): string => `${base}/datasets/${encodeURIComponent(name)}${encodeQuery(withTenant({ digest }))}`,
  lineage: (kind: string, id: string): string => `${base}/lineage${encodeQuery(withTenant({ kind, id }))}`,
  tokens: (): string => `${base}/tokens${encodeQuery(withTenant({}))}`,
  compare: (runIds: readonly string[], query: Query = {}): string => `${base}/compare${encodeQuery(withTenant({ runs: runIds, ...query }))}`,
};

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function matchRoute(pathname: string): Route {
  const parts = withoutBase(pathname).split("/").filter((part) => part !== "");
  const [first, second, third] = parts;
  if (first === undefined) return { page: "runs", experimentId: null };
  if (parts.length === 2 && second !== undefined) {
    if (first === "experiments") return { page: "runs", experimentId: decoded(second) };
    if (first === "runs") return { page: "run", runId: decoded(second) };
    if (first === "models") return { page: "model", name: decoded(second) };
    if (first === "datasets") return { page: "dataset", name: decoded(second) };
  }
  if (parts.length === 3 && first === "models" && /^[1-9][0-9]{0,9}$/.test(third ?? "")) return { page: "version", name: decoded(second ?? ""), version: Number(third) };
  if (parts.length === 1 && first === "runs") return { page: "runs", experimentId: null };
  if (parts.length === 1 && first === "compare") return { page: "compare" };
  if (parts.length === 1 && first === "models") return { page: "models" };
  if (parts.length === 1 && first === "datasets") return { page: "datasets" };
  if (parts.length === 1 && first === "lineage") return { page: "lineage" };
  if (parts.length === 1 && first === "tokens") return { page: "tokens" };
  return { page: "missing" };
}
