import { describe, expect, it } from "vitest";
import type { Transition } from "../../api/shapes.ts";
import { versionOf, whatHappened } from "./transitions.ts";

function said(changes: Partial<Transition>): Transition {
  return { number: 1, time: "2026-01-01T00:00:00.000Z", kind: "stage", version: 2, alias: null, before: null, after: null, actor: "ann", writer: "w", seq: 1, time_ms: 0, why: "", ...changes } as Transition;
}

describe("transitions in words", () => {
  it("of stages", () => {
    expect(whatHappened(said({ before: "none", after: "staging" }))).toBe("to staging");
    expect(whatHappened(said({ before: "staging", after: "production" }))).toBe("from staging to production");
  });

  it("of aliases", () => {
    const alias = { kind: "alias", alias: "champion" } as const;
    expect(whatHappened(said({ ...alias, after: "2" }))).toBe("is @champion");
    expect(whatHappened(said({ ...alias, before: "1", after: "2" }))).toBe("is @champion, which was v1");
    const gone = said({ ...alias, version: null, before: "2", after: null });
    expect(whatHappened(gone)).toBe("@champion taken away");
    expect(versionOf(gone)).toBe(2);
    expect(versionOf(said({}))).toBe(2);
  });
});
