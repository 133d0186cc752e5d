import { expect, test } from "vitest";
import { lineAt, matchFrom, readPlace, type Ask } from "./console-place.ts";

const FIRST = new Date(2026, 1, 12, 22, 30, 0).getTime();
const at = (day: number, hour: number, minute: number, second = 0, ms = 0): { timeMs: number } => ({ timeMs: new Date(2026, 1, day, hour, minute, second, ms).getTime() });

test.each([
  ["17", { line: 17 }],
  ["#17", { line: 17 }],
  ["1,234,567", { line: 1_234_567 }],
  ["22:45", at(12, 22, 45)],
  ["22:29:58.5", at(12, 22, 29, 58, 500)],
  ["1:05", at(13, 1, 5)],
  ["2026-02-14 09:00", at(14, 9, 0)],
  ["2026-02-14T09:00:07", at(14, 9, 0, 7)],
  ["25:00", null],
  ["12:61", null],
  ["soon", null],
  ["", null],
  ["1,2", null],
])("%s", (typed, place) => {
  expect(readPlace(typed, FIRST)).toEqual(place);
});

/** 10,000 lines, one a second; an answer looks at 1,000 of them. */
const COUNT = 10_000;
const asked: number[] = [];
const ask: Ask = ({ after, before, limit, search }) => {
  asked.push(after ?? before ?? 0);
  const all = Array.from({ length: COUNT }, (_, index) => ({ number: index + 1, time: index * 1000, stream: "stdout" as const, text: `line ${index + 1}`, attempt_id: "a", rank: 0 }));
  const looked = before === undefined ? all.slice(after, (after ?? 0) + 1000) : all.slice(Math.max(0, before - 1001), before - 1);
  const fits = looked.filter((line) => search === undefined || line.text.endsWith(search));
  const lines = before === undefined ? fits.slice(0, limit) : fits.slice(-limit);
  const next = lines.length === limit ? lines[0]!.number : before === undefined ? (looked.at(-1)?.number ?? COUNT) : (looked[0]?.number ?? 1);
  return Promise.resolve({ lines, total: COUNT, next });
};
const { signal } = new AbortController();

test("a time is found in few looks", async () => {
  asked.length = 0;
  expect(await lineAt(ask, 4_000_500, COUNT, signal)).toBe(4_002);
  expect(asked.length).toBeLessThan(16);
  expect(await lineAt(ask, -5, COUNT, signal)).toBe(1);
  expect(await lineAt(ask, 1e12, COUNT, signal)).toBe(COUNT);
});

test("matches before and after a line, far away as well", async () => {
  const from = async (line: number, isBackward: boolean): Promise<number | null> => (await matchFrom(ask, "777", line, isBackward, signal))?.number ?? null;
  expect(await from(0, false)).toBe(777);
  expect(await from(777, false)).toBe(1_777);
  expect(await from(777, true)).toBeNull();
  expect(await from(COUNT + 1, true)).toBe(9_777);
  expect(await from(9_777, false)).toBeNull();
  expect((await matchFrom(ask, "line 9", 10_001, true, signal))?.number).toBe(9);
  expect(await matchFrom(ask, "nowhere", 0, false, signal)).toBeNull();
  expect(await matchFrom(ask, "nowhere", 10_001, true, signal)).toBeNull();
});
