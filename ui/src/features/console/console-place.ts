/** Places in a console: what somebody typed to go there, the line of a time, the match before or after a line. */

import type { ConsolePage } from "../../api/shapes.ts";

export type ConsoleLine = ConsolePage["lines"][number];
/** `after`: lines behind that number, the first ones; `before` alone: those ahead of it, the last ones. */
export type Ask = (query: { after?: number; before?: number; limit: number; search?: string }, signal: AbortSignal) => Promise<ConsolePage>;

export type Place = { line: number } | { timeMs: number };

const LINE = /^#?(\d{1,3}(?:[,\s]\d{3})+|\d+)$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})[T ](.+)$/;
/** What was printed before the clock said so: a time a little before the first line is still its day. */
const EARLY_MS = 3_600_000;

/** A line's number, "14:05", "14:05:30" or "2026-02-12 14:05", in this machine's time zone; null for anything else. A time of day is the first such since the first line. */
export function readPlace(typed: string, firstMs: number): Place | null {
  const text = typed.trim();
  const line = LINE.exec(text);
  if (line !== null) return { line: Number(line[1]!.replace(/[,\s]/g, "")) };
  const date = DATE.exec(text);
  const clock = CLOCK.exec(date?.[4] ?? text);
  if (clock === null) return null;
  const [hour, minute, second] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const at = new Date(firstMs);
  if (date !== null) at.setFullYear(Number(date[1]), Number(date[2]) - 1, Number(date[3]));
  at.setHours(hour, minute, second, Math.round(Number(clock[4] ?? 0) * 1000));
  if (date === null && at.getTime() < firstMs - EARLY_MS) at.setDate(at.getDate() + 1);
  return { timeMs: at.getTime() };
}

/** The first line that was printed then or later; the last one if none was. Lines stand in the order of their times, nearly. */
export async function lineAt(ask: Ask, timeMs: number, total: number, signal: AbortSignal): Promise<number> {
  let [low, high] = [1, total];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const line = (await ask({ after: middle - 1, limit: 1 }, signal)).lines[0];
    if (line === undefined || line.time >= timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The nearest match behind line `from` (ahead of it, if `isBackward`), however far it is; null if there is none. */
export async function matchFrom(ask: Ask, search: string, from: number, isBackward: boolean, signal: AbortSignal): Promise<ConsoleLine | null> {
  for (let at = from; ; ) {
    const answer = await ask({ ...(isBackward ? { before: at } : { after: at }), limit: 1, search }, signal);
    const found = answer.lines[0];
    if (found !== undefined) return found;
    // An answer looks at a part of a long console only.
    if (isBackward ? answer.next <= 1 || answer.next >= at : answer.next >= answer.total || answer.next <= at) return null;
    at = answer.next;
  }
}
