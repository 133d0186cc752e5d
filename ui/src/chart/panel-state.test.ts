import { beforeEach, describe, expect, test } from "vitest";
import { changedSince, closedSections, metricsOf, setClosed } from "./panel-state.ts";

const run = (id: string, status = "finished", metrics: Record<string, unknown> = {}) => ({ run_id: id, name: id, status, color: "", metrics });

test("the metrics of all runs, each once", () => {
  expect(metricsOf([run("a", "finished", { loss: 1, acc: 1 }), run("b", "finished", { loss: 2 }), run("c")])).toEqual(["loss", "acc"]);
});

describe("changedSince", () => {
  const statuses = new Map([["a", "running"], ["b", "finished"]]);
  const runs = [run("a", "running"), run("b"), run("new", "running")];

  test("by the numbers of the runs", () => {
    expect(changedSince(runs, 5, 8, new Map([["a", 3], ["b", 7]]), statuses)).toEqual(["b"]);
  });

  test("a change that does not say which runs it touched may have touched any", () => {
    expect(changedSince(runs, 5, 8, new Map([["*", 8]]), statuses)).toEqual(["a", "b"]);
    expect(changedSince(runs, 8, 9, new Map([["*", 8]]), statuses)).toEqual([]);
  });

  test("without them, all that run", () => {
    expect(changedSince(runs, 5, 8, undefined, statuses)).toEqual(["a"]);
    expect(changedSince(runs, 8, 8, undefined, statuses)).toEqual([]);
    expect(changedSince(runs, 0, 8, undefined, statuses)).toEqual(["a"]);
    expect(changedSince(runs, 0, 8, undefined, new Map())).toEqual([]);
  });

  test("the end of a run is a change", () => {
    expect(changedSince([run("a", "finished")], 8, 8, undefined, statuses)).toEqual(["a"]);
  });
});

describe("closed sections", () => {
  beforeEach(() => localStorage.clear());

  test("are remembered", () => {
    setClosed("train", true);
    setClosed("", true);
    setClosed("train", false);
    expect([...closedSections()]).toEqual([""]);
  });

  test("nonsense in the storage does no harm", () => {
    localStorage.setItem("lineal.charts.closed", "{nonsense");
    expect(closedSections().size).toBe(0);
    localStorage.setItem("lineal.charts.closed", '[1, "val"]');
    expect([...closedSections()]).toEqual(["val"]);
  });
});
