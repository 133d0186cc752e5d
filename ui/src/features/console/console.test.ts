import { expect, test } from "vitest";
import { ConsoleLines, ConsoleMatches, WINDOW_LINES } from "./console-lines.svelte.ts";
import type { Ask } from "./console-place.ts";
import { partsOf, plainText } from "./console-text.ts";

function consoleOf(count: () => number): { ask: Ask; asked: number[] } {
  const asked: number[] = [];
  const ask: Ask = ({ after = 0, limit, search }) => {
    asked.push(after);
    // Looks at 1,000 lines a request, as the server looks at so many bytes.
    const looked = Array.from({ length: Math.max(0, Math.min(1000, count() - after)) }, (_, at) => ({ number: after + at + 1, time: after + at, stream: "stdout" as const, text: `line ${after + at + 1}`, attempt_id: "a", rank: 0 }));
    const lines = looked.filter((line) => search === undefined || line.text.includes(search)).slice(0, limit);
    return Promise.resolve({ lines, total: count(), next: (lines.length === limit ? lines.at(-1)?.number : looked.at(-1)?.number) ?? after });
  };
  return { ask, asked };
}

test("lines are read where they are looked at, once", async () => {
  const { ask, asked } = consoleOf(() => 100_000);
  const lines = new ConsoleLines(ask);
  await lines.want(0, 40);
  expect(lines.total).toBe(100_000);
  expect(lines.at(0)?.text).toBe("line 1");
  expect(lines.at(70_000)).toBeNull();
  await lines.want(69_990, 70_030);
  expect(lines.at(70_000)?.number).toBe(70_001);
  await lines.want(69_990, 70_030, true);
  expect(asked).toEqual([0, 69_500, 70_000]);
});

test("who wants what is on its way waits for it", async () => {
  const { ask, asked } = consoleOf(() => 100);
  const lines = new ConsoleLines(ask);
  void lines.want(0, 40);
  await lines.want(20, 30);
  expect([lines.at(25)?.number, asked.length]).toEqual([26, 1]);
});

test("the last window grows with the run", async () => {
  let count = 3;
  const lines = new ConsoleLines(consoleOf(() => count).ask);
  await lines.want(0, 10);
  count = WINDOW_LINES + 2;
  await lines.want(0, 10, true);
  expect(lines.total).toBe(WINDOW_LINES + 2);
  await lines.want(WINDOW_LINES, WINDOW_LINES + 2, true);
  expect(lines.at(WINDOW_LINES + 1)?.text).toBe(`line ${WINDOW_LINES + 2}`);
});

test("what is far away is forgotten", async () => {
  const lines = new ConsoleLines(consoleOf(() => 100_000).ask);
  for (let at = 0; at < 60; at++) await lines.want(at * WINDOW_LINES, at * WINDOW_LINES + 10);
  expect(lines.at(0)).toBeNull();
  expect(lines.at(59 * WINDOW_LINES)).not.toBeNull();
});

test("matches come page by page, with their numbers", async () => {
  const matches = new ConsoleMatches(consoleOf(() => 10_000).ask, "7");
  await matches.more();
  expect(matches.lines[0]?.number).toBe(7);
  const first = matches.lines.length;
  await matches.more();
  expect(matches.lines.length).toBeGreaterThan(first);
  while (!matches.isDone) await matches.more();
  expect(new Set(matches.lines.map((line) => line.number)).size).toBe(matches.lines.length);
  expect(matches.lines.length).toBe(Array.from({ length: 10_000 }, (_, at) => String(at + 1)).filter((text) => text.includes("7")).length);
});

test("a search looks on until it finds something, or everything was looked at", async () => {
  const { ask, asked } = consoleOf(() => 5_000);
  const late = new ConsoleMatches(ask, "line 4321");
  await late.more();
  expect(late.lines.map((line) => line.number)).toEqual([4321]);
  expect(asked.length).toBe(5);
  const never = new ConsoleMatches(ask, "nowhere");
  await never.more();
  expect([never.isDone, never.lines.length]).toEqual([true, 0]);
});

test("a refusal is said, and the next try may succeed", async () => {
  let isUp = false;
  const { ask } = consoleOf(() => 3);
  const lines = new ConsoleLines((query, signal) => (isUp ? ask(query, signal) : Promise.reject(new Error("away"))));
  await lines.want(0, 3);
  expect(lines.problem).toBe("away");
  isUp = true;
  await lines.want(0, 3);
  expect([lines.problem, lines.total]).toEqual([null, 3]);
});

test("colours and titles are no text", () => {
  expect(plainText("\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\")).toBe("red link");
});

test("hits are marked whatever their case", () => {
  expect(partsOf("Loss and LOSS", "loss")).toEqual([
    { text: "Loss", isHit: true },
    { text: " and ", isHit: false },
    { text: "LOSS", isHit: true },
  ]);
  expect(partsOf("İx", "x").map((part) => part.text).join("")).toBe("İx");
});
