import { beforeEach, describe, expect, test } from "vitest";
import type { Series } from "../api/series.ts";
import { pointSeries } from "./example-series.ts";
import { maxPointsFor, SeriesLoader, type Ask, type Want } from "./loader.ts";

interface Call {
  ask: Ask;
  signal: AbortSignal;
  answer: (series?: Series[]) => Promise<void>;
  fail: (why: Error) => Promise<void>;
}

let calls: Call[];
let timers: { at: number; run: () => void }[];
let clock: number;

/** Let promises and timers that are due run. */
async function settle(ms = 0): Promise<void> {
  clock += ms;
  for (let turn = 0; turn < 5; turn += 1) {
    await Promise.resolve();
    const due = timers.filter((timer) => timer.at <= clock);
    timers = timers.filter((timer) => timer.at > clock);
    for (const timer of due) timer.run();
  }
}

function makeLoader(budgetBytes = 1e9): SeriesLoader {
  return new SeriesLoader({
    budgetBytes,
    now: () => clock,
    after: (ms, run) => void timers.push({ at: clock + ms, run }),
    errorText: (error) => (error as Error).message,
    ask: (ask, signal) =>
      new Promise((resolve, reject) => {
        const given = (): Series[] =>
          ask.run_ids.flatMap((run) => ask.metrics.map((name) => pointSeries({ run, name, step: [0], value: [calls.length] })));
        calls.push({
          ask,
          signal,
          answer: (series = given()) => (resolve(series), settle()),
          fail: (why) => (reject(why), settle()),
        });
        signal.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      }),
  });
}

const want = (metric: string, runIds: string[], extra: Partial<Want> = {}): Want => ({ metric, runIds, range: null, maxPoints: 500, ...extra });

beforeEach(() => {
  calls = [];
  timers = [];
  clock = 0;
});

describe("asking", () => {
  test("charts that come into sight together share a request", async () => {
    const loader = makeLoader();
    let notified = 0;
    for (const metric of ["loss", "acc", "lr"]) loader.want(metric, want(metric, ["a", "b"]), () => (notified += 1));
    await settle();
    expect(calls.map((call) => call.ask)).toEqual([{ run_ids: ["a", "b"], metrics: ["loss", "acc", "lr"], max_points: 500 }]);
    expect(loader.get(want("loss", ["a", "b"]))).toEqual({ series: [], missingCount: 2, error: null });
    await calls[0]!.answer();
    expect(notified).toBe(3);
    expect(loader.get(want("loss", ["a", "b"])).series.map((one) => one.runId)).toEqual(["a", "b"]);
  });

  test("a run that is added is asked for alone", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"]), () => undefined);
    await settle();
    await calls[0]!.answer();
    loader.want("1", want("loss", ["a", "b"]), () => undefined);
    await settle();
    expect(calls[1]?.ask.run_ids).toEqual(["b"]);
  });

  test("what is known is not asked for twice, an absent metric neither", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a", "b"]), () => undefined);
    await settle();
    await calls[0]!.answer([pointSeries({ run: "a", name: "loss", step: [0], value: [1] })]);
    expect(loader.get(want("loss", ["a", "b"]))).toMatchObject({ missingCount: 0 });
    loader.drop("1");
    loader.want("2", want("loss", ["b", "a"]), () => undefined);
    await settle(1000);
    expect(calls).toHaveLength(1);
  });

  test("a range is another thing than the whole", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"], { range: [10, 20] }), () => undefined);
    await settle();
    expect(calls[0]?.ask).toEqual({ run_ids: ["a"], metrics: ["loss"], max_points: 500, step_min: 10, step_max: 20 });
    await calls[0]!.answer();
    expect(loader.get(want("loss", ["a"])).missingCount).toBe(1);
  });

  test("many runs and metrics go in several requests, a few at a time", async () => {
    const loader = makeLoader();
    const runs = Array.from({ length: 100 }, (_, i) => `r${i}`);
    for (let i = 0; i < 10; i += 1) loader.want(`${i}`, want(`m${i}`, runs), () => undefined);
    await settle();
    expect(calls.length).toBe(3);
    expect(calls.every((call) => call.ask.metrics.length === 2)).toBe(true);
    for (let i = 0; i < 5; i += 1) await calls[i]!.answer();
    expect(new Set(calls.flatMap((call) => call.ask.metrics)).size).toBe(10);
    expect(calls).toHaveLength(5);
  });

  test("all series of a run are kept, whatever their labels", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"]), () => undefined);
    await settle();
    await calls[0]!.answer(["0", "1"].map((rank) => pointSeries({ run: "a", name: "loss", labels: { rank }, step: [0], value: [1] })));
    expect(loader.get(want("loss", ["a"])).series.map((one) => one.labels)).toEqual([{ rank: "0" }, { rank: "1" }]);
  });
});

describe("letting go", () => {
  test("a request that nobody needs any more is aborted", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"]), () => undefined);
    await settle();
    loader.drop("1");
    await settle();
    expect(calls[0]?.signal.aborted).toBe(true);
  });

  test("one that another chart still needs goes on", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"]), () => undefined);
    loader.want("2", want("acc", ["a"]), () => undefined);
    await settle();
    loader.drop("1");
    await settle();
    expect(calls[0]?.signal.aborted).toBe(false);
  });

  test("a failure is told, not repeated, and tried again when asked to", async () => {
    const loader = makeLoader();
    loader.want("1", want("loss", ["a"]), () => undefined);
    await settle();
    await calls[0]!.fail(new Error("no disk"));
    await settle(5000);
    expect(loader.get(want("loss", ["a"])).error).toBe("no disk");
    expect(calls).toHaveLength(1);
    loader.retry();
    await settle();
    expect(calls).toHaveLength(2);
    await calls[1]!.answer();
    expect(loader.get(want("loss", ["a"]))).toMatchObject({ error: null, missingCount: 0 });
  });

  test("beyond the budget what is not wanted goes first", async () => {
    const loader = makeLoader(1000);
    for (const [index, metric] of ["a", "b", "c", "d"].entries()) {
      loader.want("1", want(metric, ["r"]), () => undefined);
      await settle();
      await calls[index]!.answer();
    }
    expect(loader.get(want("d", ["r"])).missingCount).toBe(0);
    expect(loader.get(want("a", ["r"])).missingCount).toBe(1);
  });
});

describe("live", () => {
  async function loaded(runIds: string[]): Promise<SeriesLoader> {
    const loader = makeLoader();
    loader.want("1", want("loss", runIds), () => undefined);
    await settle();
    await calls[0]!.answer();
    return loader;
  }

  test("only the run that changed is asked for, and the old line stays until then", async () => {
    const loader = await loaded(["a", "b"]);
    await settle(1000);
    loader.changed(["b"]);
    await settle();
    expect(calls[1]?.ask.run_ids).toEqual(["b"]);
    expect(loader.get(want("loss", ["a", "b"]))).toMatchObject({ missingCount: 0 });
    await calls[1]!.answer();
    const [, b] = loader.get(want("loss", ["a", "b"])).series;
    expect(b?.exact && b.value[0]).toBe(2);
  });

  test("a run that nobody looks at is not asked for", async () => {
    const loader = await loaded(["a"]);
    loader.changed(["z"]);
    await settle(1000);
    expect(calls).toHaveLength(1);
  });

  test("changes in a row are asked for a few times a second, and the last one is not lost", async () => {
    const loader = await loaded(["a"]);
    await settle(1000);
    for (let i = 0; i < 40; i += 1) {
      loader.changed(["a"]);
      await settle(25);
      await calls.at(-1)!.answer();
    }
    expect(calls.length).toBeGreaterThan(3);
    expect(calls.length).toBeLessThan(7);
    const before = calls.length;
    loader.changed(["a"]);
    await settle(300);
    expect(calls.length).toBe(before + 1);
  });

  test("a change during a request is asked for after it", async () => {
    const loader = await loaded(["a"]);
    await settle(1000);
    loader.changed(["a"]);
    await settle();
    expect(calls).toHaveLength(2);
    loader.changed(["a"]);
    await settle(1000);
    expect(calls).toHaveLength(2);
    await calls[1]!.answer();
    await settle(300);
    expect(calls).toHaveLength(3);
  });
});

test("after a failure the next change asks again", async () => {
  const loader = makeLoader();
  loader.want("1", want("loss", ["a"]), () => undefined);
  await settle();
  await calls[0]!.fail(new Error("restarting"));
  loader.changed(["a"]);
  await settle(300);
  expect(calls).toHaveLength(2);
  await calls[1]!.answer();
  expect(loader.get(want("loss", ["a"]))).toMatchObject({ error: null, missingCount: 0 });
});

test("more runs, fewer rows a run", () => {
  expect(maxPointsFor(400, 1)).toBe(400);
  expect(maxPointsFor(1400, 1)).toBe(1200);
  expect(maxPointsFor(400, 100)).toBeLessThan(maxPointsFor(400, 10));
});
