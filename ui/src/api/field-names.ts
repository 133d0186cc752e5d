/** Which metrics, params and tags there are: asked once in a while, searched here. For menus and for completion. */

import { get } from "./client.ts";
import type { FieldKind, FieldNames, FieldValues } from "./shapes.ts";

export const NAMES_LIMIT = 1000;
const FRESH_MS = 30_000;

interface Asked {
  at: number;
  names: Promise<string[]>;
}

const asked = new Map<string, Asked>();

async function ask(kind: FieldKind, prefix: string, nowMs: number): Promise<string[]> {
  const key = `${kind}\n${prefix}`;
  const known = asked.get(key);
  if (known && nowMs - known.at < FRESH_MS) return known.names;
  const names = get<FieldNames>("/fields", { kind, prefix, limit: NAMES_LIMIT }).then((answer) => answer.names);
  asked.set(key, { at: nowMs, names });
  names.catch(() => asked.delete(key));
  return names;
}

/** Names that hold `part`, best first. Beyond NAMES_LIMIT names, those that begin with it are asked for. */
export async function namesLike(kind: FieldKind, part: string, nowMs: number = Date.now()): Promise<string[]> {
  const all = await ask(kind, "", nowMs);
  const more = all.length >= NAMES_LIMIT && part !== "" ? await ask(kind, part, nowMs) : [];
  return rankNames([...new Set([...all, ...more])], part);
}

/** Those that begin with `part`, those with a piece that does, those that hold it. Case does not matter. */
export function rankNames(names: readonly string[], part: string): string[] {
  const wanted = part.toLowerCase();
  if (wanted === "") return [...names];
  const places: string[][] = [[], [], []];
  for (const name of names) {
    const text = name.toLowerCase();
    const at = text.indexOf(wanted);
    if (at < 0) continue;
    const place = at === 0 ? 0 : /[/_.\-\s]/.test(text[at - 1] ?? "") ? 1 : 2;
    places[place]?.push(name);
  }
  return places.flat();
}

export async function valuesOf(field: string, prefix: string, limit = 20, signal?: AbortSignal): Promise<string[]> {
  return (await get<FieldValues>("/fields/values", { field, prefix, limit }, { signal })).values;
}
