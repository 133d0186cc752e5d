import { describe, expect, it } from "vitest";
import type { Series } from "../../api/series.ts";
import { SPARK_HEIGHT, SPARK_WIDTH, sparkPath } from "./sparkline.ts";

const head = { runId: "r", name: "loss", labels: {}, valueType: "float64", pointCount: 3, attempts: [] };
const exact = (value: number[], step = value.map((_, i) => i)): Series => ({
  ...head, exact: true, step: Float64Array.from(step), timeMs: Float64Array.from(step), value: Float64Array.from(value),
});
const buckets = (min: number[], max: number[]): Series => {
  const f = Float64Array.from(min);
  return {
    ...head, exact: false, stepMin: Float64Array.from(min.map((_, i) => i)), stepMax: Float64Array.from(min.map((_, i) => i)), timeMin: f, timeMax: f,
    first: f, last: f, min: f, max: Float64Array.from(max), count: new Uint32Array(min.length), nanCount: new Uint32Array(min.length),
  };
};

describe("a sparkline", () => {
  it("fills its box", () => {
    expect(sparkPath(exact([0, 1]))).toBe(`M2.0 ${SPARK_HEIGHT - 2}.0L${SPARK_WIDTH - 2}.0 2.0`);
  });

  it("leaves a gap where there is no number", () => {
    expect(sparkPath(exact([0, 1, NaN, 1, 0])).match(/M/g)).toHaveLength(2);
    expect(sparkPath(exact([0, Infinity, 1]))).not.toContain("Infinity");
  });

  it("shows a spike within a bucket", () => {
    expect(sparkPath(buckets([0, 0, 0], [0, 9, 0]))).toContain(" 2.0");
  });

  it("of buckets that fall begins at its top", () => {
    const falling = { ...buckets([5, 1], [9, 5]), first: Float64Array.of(9, 5), last: Float64Array.of(5, 1) } as Series;
    expect(sparkPath(falling)).toMatch(/^M2\.0 2\.0L/);
    expect(sparkPath(buckets([1, 5], [5, 9]))).toMatch(new RegExp(`^M2\\.0 ${SPARK_HEIGHT - 2}\\.0L`));
  });

  it("of buckets goes through a bucket from its first step to its last", () => {
    const wide = { ...buckets([0, 2], [1, 3]), stepMin: Float64Array.of(0, 20), stepMax: Float64Array.of(10, 30), last: Float64Array.of(1, 3) } as Series;
    expect(sparkPath(wide).match(/[ML][0-9.]+/g)).toEqual(["M2.0", "L44.7", "L87.3", "L130.0"]);
  });

  it("of a constant is a line in the middle", () => {
    expect(sparkPath(exact([3, 3]))).toContain(` ${SPARK_HEIGHT / 2}.0`);
  });

  it("is nothing without two numbers", () => {
    expect(sparkPath(exact([]))).toBe("");
    expect(sparkPath(exact([1]))).toBe("");
    expect(sparkPath(exact([NaN, NaN]))).toBe("");
  });

  it("takes the largest numbers there are", () => {
    expect(sparkPath(exact([-1.7e308, 1.7e308]))).not.toMatch(/NaN|Infinity/);
  });
});
