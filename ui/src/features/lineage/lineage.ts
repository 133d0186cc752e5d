/** What the lineage route answers, and where each of its things is shown. */

import type { IconName } from "../../kit/icons.ts";
import type { LineageAnswer as Answer } from "../../api/shapes.ts";
import { to } from "../../lib/routes.ts";

type AnswerNode = Answer["nodes"][number];

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

const DIGEST_SHOWN_CHARS = 10;

export function readLineage(answer: Answer): Lineage {
  return {
    nodes: answer.nodes.map((node) => ({ key: node.key, kind: node.kind, id: node.id, name: nameOf(node), detail: detailOf(node), href: hrefOf(node) })),
    edges: answer.edges,
    subject: answer.subject,
    isComplete: answer.is_complete,
  };
}

function nameOf(node: AnswerNode): string {
  return node.kind === "model_version" ? `${node.model_name ?? node.name} v${node.version ?? "?"}` : node.name;
}

function detailOf(node: AnswerNode): string {
  const words = [
    node.kind === "dataset" ? node.version : null,
    node.kind === "artifact" && node.version ? `v${node.version}` : null,
    node.status,
    node.stage === "none" ? null : node.stage,
    node.digest?.slice(0, DIGEST_SHOWN_CHARS),
    node.is_known ? null : "not here",
    node.is_deleted ? "deleted" : null,
  ];
  return words.filter((word) => word !== null && word !== undefined && word !== "").join(" · ");
}

function hrefOf(node: AnswerNode): string | null {
  if (!node.is_known) return null;
  if (node.kind === "run") return to.run(node.id);
  const version = Number(node.version);
  if (node.kind === "model_version" && node.model_name !== null && Number.isInteger(version) && version > 0) return to.version(node.model_name, version);
  if (node.kind === "artifact" && node.run_id !== null) return to.run(node.run_id, { tab: "artifacts", file: node.path });
  return node.kind === "dataset" || node.kind === "logged_model" ? to.lineage(node.kind, node.id) : null;
}

/** Of a path what tells it from its neighbours: its end. */
export function shortPath(path: string, chars = 18): string {
  const parts = path.split("/");
  let short = parts.pop() ?? "";
  if (short.length + 2 > chars || path.length <= chars) return path.length <= chars ? path : short;
  while (parts.length > 0 && `…/${parts[parts.length - 1] ?? ""}/${short}`.length <= chars) short = `${parts.pop() ?? ""}/${short}`;
  return `…/${short}`;
}
