/** Archives of source files, read in the page: names from the central directory, contents one by one (PKWARE's APPNOTE 6.3.10, 4.3). */

import { firstBytes } from "../../lib/first-bytes.ts";

export interface ZipEntry {
  name: string;
  sizeBytes: number;
  packedBytes: number;
  method: number;
  /** Of its local header. */
  offset: number;
}

const [END, CENTRAL, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const [END_SIZE, CENTRAL_SIZE, LOCAL_SIZE] = [22, 46, 30];
const COMMENT_MAX_BYTES = 65_535;
const [STORED, DEFLATED] = [0, 8];

/** Throws where it is no archive. Larger ones than 4 GB, which have another directory, are none that Lineal makes. */
export function readZip(bytes: Uint8Array<ArrayBuffer>): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.byteLength - END_SIZE;
  const last = Math.max(0, end - COMMENT_MAX_BYTES);
  while (end >= last && view.getUint32(end, true) !== END) end--;
  if (end < last || end < 0) throw new Error("this is no zip archive");
  const count = view.getUint16(end + 10, true);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_SIZE > end || view.getUint32(at, true) !== CENTRAL) throw new Error("the archive's directory is damaged");
    const [nameBytes, extraBytes, commentBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameBytes)),
      method: view.getUint16(at + 10, true),
      packedBytes: view.getUint32(at + 20, true),
      sizeBytes: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at += CENTRAL_SIZE + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** The beginning of a file, up to so many bytes, whatever the archive claims. */
export async function readEntry(bytes: Uint8Array<ArrayBuffer>, entry: ZipEntry, maxBytes: number): Promise<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (entry.offset + LOCAL_SIZE > bytes.byteLength || view.getUint32(entry.offset, true) !== LOCAL) throw new Error("the archive is damaged");
  const from = entry.offset + LOCAL_SIZE + view.getUint16(entry.offset + 26, true) + view.getUint16(entry.offset + 28, true);
  const packed = bytes.subarray(from, from + entry.packedBytes);
  if (entry.method === STORED) return packed.subarray(0, maxBytes);
  if (entry.method !== DEFLATED) throw new Error("the file is packed in a way that is not read here");
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  return firstBytes(reader, maxBytes);
}
