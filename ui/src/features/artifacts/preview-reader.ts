// The beginning of a file, as text. Never more than what a preview may hold.

import { getResponse } from "../../api/client.ts";
import { firstBytes } from "../../lib/first-bytes.ts";
import { decodeText, type FetchedText } from "./preview-kind.ts";

export async function readText(path: string, query: Record<string, string | number>, maxBytes: number, totalBytes: number, signal: AbortSignal): Promise<FetchedText> {
  const response = await getResponse(path, query, { signal });
  const reader = response.body?.getReader();
  if (reader === undefined) return decodeText(new Uint8Array(await response.arrayBuffer()), totalBytes);
  return decodeText(await firstBytes(reader, maxBytes), totalBytes);
}
