// What can be shown of a file, and how much of it is fetched to do so.

import type { Artifact } from "../../api/shapes.ts";

export type PreviewKind = "image" | "json" | "csv" | "markdown" | "text" | "none";

export interface Preview {
  readonly kind: PreviewKind;
  /** Fetched at most; a longer file is shown up to here and says so. */
  readonly maxBytes: number;
  /** Why nothing is shown, with what to do instead. */
  readonly reason: string | null;
}

const KIB = 1024;
const TEXT_MAX_BYTES = 256 * KIB; // 4,000 lines: more than is read in a browser
const JSON_MAX_BYTES = 2048 * KIB; // cut JSON does not parse: it is taken whole or shown as text
const CSV_MAX_BYTES = 512 * KIB;
const IMAGE_MAX_BYTES = 32 * 1024 * KIB; // decoded it is about ten times that in memory

const TEXT_ENDINGS = new Set(
  ("txt log out err py ipynb yaml yml toml ini cfg conf sh bash js ts css html htm xml sql r jl c h cpp hpp cu rs go java kt scala rb pl lua " +
    "tex bib rst diff patch env lock requirements dockerfile makefile gitignore jsonl ndjson").split(" "),
);
const IMAGE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml", "image/bmp", "image/x-icon"]);
const ENDING_KINDS: Readonly<Record<string, PreviewKind>> = {
  png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image", avif: "image", svg: "image", bmp: "image", ico: "image",
  json: "json", geojson: "json", csv: "csv", tsv: "csv", md: "markdown", markdown: "markdown",
};

export function ending(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return name.slice(name.lastIndexOf(".") + 1).toLowerCase();
}

export function previewOf(artifact: Artifact): Preview {
  if (artifact.uri !== null) return none("Only a reference is recorded, not the bytes.");
  const size = artifact.size_bytes ?? 0;
  const kind = kindOf(artifact);
  if (kind === "none") return none("There is no preview of this kind of file. Download it to open it.");
  if (size === 0) return none("The file is empty.");
  if (kind === "image") return size > IMAGE_MAX_BYTES ? none("The image is too large to show here. Download it to open it.") : { kind, maxBytes: IMAGE_MAX_BYTES, reason: null };
  if (kind === "json") return size > JSON_MAX_BYTES ? { kind: "text", maxBytes: TEXT_MAX_BYTES, reason: null } : { kind, maxBytes: JSON_MAX_BYTES, reason: null };
  return { kind, maxBytes: kind === "csv" ? CSV_MAX_BYTES : TEXT_MAX_BYTES, reason: null };
}

function none(reason: string): Preview {
  return { kind: "none", maxBytes: 0, reason };
}

function kindOf(artifact: Artifact): PreviewKind {
  const end = ending(artifact.path);
  if (Object.hasOwn(ENDING_KINDS, end)) return ENDING_KINDS[end] ?? "none";
  const type = (artifact.media_type ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (IMAGE_TYPES.has(type)) return "image";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "text/csv" || type === "text/tab-separated-values") return "csv";
  if (type === "text/markdown") return "markdown";
  return type.startsWith("text/") || TEXT_ENDINGS.has(end) || /^application\/(x-)?(yaml|toml|xml|javascript|python|sh)$/.test(type) ? "text" : "none";
}

export interface FetchedText {
  readonly text: string;
  /** False: the file goes on. */
  readonly isWhole: boolean;
  /** Looks like no text at all: NUL bytes. */
  readonly isBinary: boolean;
}

/** The bytes as UTF-8; a character cut in two at the end is left out. */
export function decodeText(bytes: Uint8Array, totalBytes: number): FetchedText {
  const isWhole = bytes.byteLength >= totalBytes;
  const text = new TextDecoder("utf-8").decode(bytes, { stream: !isWhole });
  return { text, isWhole, isBinary: bytes.subarray(0, 8192).includes(0) };
}
