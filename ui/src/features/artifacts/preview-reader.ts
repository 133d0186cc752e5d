// The beginning of a file, as text. Never more than what a preview may hold.

import { getResponse } from "../../api/client.ts";
import { decodeText, type FetchedText } from "./preview-kind.ts";

export async function readText(path: string, query: Record<string, string | number>, maxBytes: number, totalBytes: number, signal: AbortSignal): Promise<FetchedText> {
  const response = await getResponse(path, query, { signal });
  const reader = response.body?.getReader();
  if (reader === undefined) return decodeText(new Uint8Array(await response.arrayBuffer()), totalBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.byteLength;
  }
  // The rest stays on the server.
  void reader.cancel().catch(() => undefined);
  const bytes = new Uint8Array(Math.min(length, maxBytes));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.byteLength - at);
    bytes.set(part, at);
    at += part.byteLength;
  }
  return decodeText(bytes, totalBytes);
}
