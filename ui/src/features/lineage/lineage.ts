/** What the lineage route answers, and where each of its things is shown. */

import type { IconName } from "../../kit/icons.ts";
import { to } from "../../lib/routes.ts";

export interface LineageNode {
  /** Of this node in this answer, for the edges. */
  key: string;
  kind: string;
  id: string;
  name: string;
  /** A few words more: version, status, digest. */
  detail: string;
  /** Where it is shown; null where it has no page. */
  href: string | null;
}
export interface LineageEdge {
  from: string;
  to: string;
  relation: string;
}
export interface Lineage {
  nodes: LineageNode[];
  edges: LineageEdge[];
  /** Key of what was asked about. */
  subject: string;
  isComplete: boolean;
}

export const KIND_WORDS: Record<string, string> = { run: "run", dataset: "dataset", artifact: "artifact", model_version: "model version", logged_model: "logged model" };

export function iconOf(kind: string): IconName {
  const icons: Record<string, IconName> = { run: "chart", dataset: "group", artifact: "file", model_version: "model", logged_model: "model" };
  return icons[kind] ?? "link";
}

/** One node of the answer. What another kind of thing has no word for is absent or null. */
export interface NodeAnswer {
  key: string;
  kind: string;
  id: string;
  name: string;
  version?: string | number | null;
  status?: string | null;
  digest?: string | null;
  run_id?: string | null;
  path?: string | null;
  model_name?: string | null;
}
export interface LineageAnswer {
  subject: string;
  nodes: NodeAnswer[];
  edges: LineageEdge[];
  is_complete: boolean;
}

const DIGEST_SHOWN_CHARS = 10;

export function readLineage(answer: LineageAnswer): Lineage {
  return {
    nodes: answer.nodes.map((node) => ({ key: node.key, kind: node.kind, id: node.id, name: node.name, detail: detailOf(node), href: hrefOf(node) })),
    edges: answer.edges,
    subject: answer.subject,
    isComplete: answer.is_complete,
  };
}

function detailOf(node: NodeAnswer): string {
  const version = node.version === null || node.version === undefined ? "" : typeof node.version === "number" ? `v${node.version}` : node.version;
  return [node.kind === "model_version" ? "" : version, node.status ?? "", node.digest?.slice(0, DIGEST_SHOWN_CHARS) ?? ""].filter((text) => text !== "").join(" · ");
}

function hrefOf(node: NodeAnswer): string | null {
  if (node.kind === "run") return to.run(node.id);
  const version = Number(node.version);
  if (node.kind === "model_version" && node.model_name && Number.isInteger(version) && version > 0) return to.version(node.model_name, version);
  if (node.kind === "artifact" && node.run_id) return to.run(node.run_id, { tab: "artifacts", file: node.path ?? null });
  return node.kind === "dataset" ? to.lineage(node.kind, node.id) : null;
}
