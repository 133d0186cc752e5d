import { describe, expect, test } from "vitest";
import { bytesOf, decodeSeries, rowCount, SeriesFormatError } from "./series.ts";
import { encodeSeries, type WireInput } from "../chart/example-series.ts";

const EXACT: WireInput = {
  run_id: "r1", name: "löss", labels: {}, exact: true, point_count: 3,
  columns: { step: [0, 1, 2], time_ms: [10, 20, 30], value: [0.5, Number.NaN, Infinity] },
};
const BUCKETS: WireInput = {
  run_id: "r2", name: "loss", labels: { rank: "0" }, exact: false, point_count: 400,
  columns: {
    step_min: [0, 200], step_max: [199, 399], time_min: [0, 1], time_max: [1, 2], first: [1, 2], last: [2, 3], min: [-9, 0], max: [4, 5],
    count: [200, 200], nan_count: [0, 7],
  },
};

describe("decodeSeries", () => {
  test("reads points bit-exact, whatever the header's length", () => {
    for (const pad of ["", "a", "ab", "abc", "ü"]) {
      const [series] = decodeSeries(encodeSeries([{ ...EXACT, run_id: `r${pad}` }]));
      expect(series).toMatchObject({ runId: `r${pad}`, name: "löss", exact: true, pointCount: 3, labels: {} });
      if (!series?.exact) throw new Error("exact");
      expect([...series.value]).toEqual([0.5, Number.NaN, Infinity]);
      expect([...series.step]).toEqual([0, 1, 2]);
      expect(rowCount(series)).toBe(3);
    }
  });

  test("reads buckets beside points", () => {
    const all = decodeSeries(encodeSeries([EXACT, BUCKETS, { ...EXACT, run_id: "r3" }]));
    expect(all.map((series) => series.runId)).toEqual(["r1", "r2", "r3"]);
    const buckets = all[1];
    if (!buckets || buckets.exact) throw new Error("buckets");
    expect([...buckets.count]).toEqual([200, 200]);
    expect([...buckets.nanCount]).toEqual([0, 7]);
    expect([...buckets.min]).toEqual([-9, 0]);
    expect(buckets.labels).toEqual({ rank: "0" });
    expect(bytesOf(buckets)).toBeGreaterThan(144);
  });

  test("no series is an answer too", () => {
    expect(decodeSeries(encodeSeries([]))).toEqual([]);
  });

  test.each([
    ["nothing", () => new ArrayBuffer(0)],
    ["another format", () => new TextEncoder().encode('{"series": []}  ').buffer as ArrayBuffer],
    ["a cut body", () => encodeSeries([BUCKETS]).slice(0, -8)],
    ["a cut header", () => encodeSeries([BUCKETS]).slice(0, 40)],
    ["a missing column", () => encodeSeries([{ ...EXACT, columns: { step: [0], time_ms: [0] } }])],
  ])("refuses %s", (_name, bytes) => {
    expect(() => decodeSeries(bytes())).toThrow(SeriesFormatError);
  });
});
