import { expect, it } from "vitest";
import { keepSame } from "./run-page.svelte.ts";

it("what did not change keeps its identity, what did is new", () => {
  const before = { params: { lr: "0.1" }, tags: { a: "1" }, name: "x", parent: null };
  const now = { params: { lr: "0.1" }, tags: { a: "2" }, name: "y", parent: null };
  const kept = keepSame(before, now);
  expect(kept).toEqual(now);
  expect(kept.params).toBe(before.params);
  expect(kept.tags).toBe(now.tags);
});
