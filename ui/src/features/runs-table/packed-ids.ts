/** Ids of runs in fewer characters: the 32 hexadecimal digits of ours are 16 bytes, 22 characters of base64. */

/** What a packed list begins with; no run id does. */
export const PACKED = "~p";
const HEX_ID = /^[0-9a-f]{32}$/;
const BYTES = 16;
/** A few ids stay readable, and can be written by hand. */
const READABLE = 10;

/** The items of a list in the address: one packed word where that is possible and pays. */
export function packIds(ids: readonly string[]): readonly string[] {
  if (ids.length <= READABLE || !ids.every((id) => HEX_ID.test(id))) return ids;
  let bytes = "";
  for (const id of ids) for (let at = 0; at < id.length; at += 2) bytes += String.fromCharCode(parseInt(id.slice(at, at + 2), 16));
  return [PACKED + btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")];
}

/** Empty if somebody has cut the word off. */
export function unpackIds(word: string): string[] {
  let bytes: string;
  try {
    bytes = atob(word.slice(PACKED.length).replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return [];
  }
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, at) => hex.slice(at * 2 * BYTES, (at + 1) * 2 * BYTES));
}
