import { describe, expect, test } from "vitest";
import { durationSplits, logSplits, numberSplits, stepSplits } from "./splits.ts";

describe("numberSplits", () => {
  test.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 9999, 5, [0, 2000, 4000, 6000, 8000]],
    [-0.3, 0.3, 4, [-0.2, 0, 0.2]],
    [0, 10, 4, [0, 2.5, 5, 7.5, 10]],
    [0, 3e-18, 3, [0, 1e-18, 2e-18, 3e-18]],
  ])("%d to %d with room for %d", (min, max, room, splits) => {
    expect(numberSplits(min, max, room)).toEqual(splits);
  });

  test("whatever the interval, there are some, not too many, within it, and they rise", () => {
    for (const [min, max] of [[0, 1e300], [-1e-300, 1e-300], [1, 1 + 1e-15], [2 ** 53, 2 ** 53 + 4], [1e17, 1.2e17], [-5, -4.999], [0, 5e-324]] as const) {
      for (const room of [0, 1, 4, 12]) {
        const splits = numberSplits(min, max, room);
        expect(splits.length).toBeLessThanOrEqual(room + 2);
        expect(splits.every((value, i) => i === 0 || value > splits[i - 1]!)).toBe(true);
        expect(splits.every((value) => value >= min - (max - min) && value <= max + (max - min))).toBe(true);
      }
    }
  });

  test("of nothing there are none", () => {
    expect(numberSplits(1, 1, 5)).toEqual([]);
    expect(numberSplits(0, Infinity, 5)).toEqual([]);
    expect(numberSplits(Number.NaN, 1, 5)).toEqual([]);
  });
});

describe("logSplits", () => {
  test.each([
    [1, 9, 10, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [1, 9, 5, [1, 2, 5]],
    [0.144, 1, 4, [0.2, 0.5, 1]],
    [0.01, 10, 5, [0.01, 0.1, 1, 10]],
    [1e-6, 1e6, 6, [1e-6, 1e-4, 1e-2, 1, 100, 1e4, 1e6]],
    [3.1, 3.9, 4, [3.2, 3.4, 3.6, 3.8]],
    [1e-18, 2e-18, 4, [1e-18, 2e-18]],
  ])("%d to %d with room for %d", (min, max, room, splits) => {
    expect(logSplits(min, max, room)).toEqual(splits);
  });

  test("hundreds of decades are no more than there is room for", () => {
    const splits = logSplits(5e-324, 1e308, 6);
    expect(splits.length).toBeGreaterThan(3);
    expect(splits.length).toBeLessThanOrEqual(8);
  });
});

test("durations have the steps of clocks", () => {
  expect(durationSplits(0, 60, 4)).toEqual([0, 15, 30, 45, 60]);
  expect(durationSplits(0, 7200, 4)).toEqual([0, 1800, 3600, 5400, 7200]);
  expect(durationSplits(0, 3 * 86_400, 4)).toEqual([0, 86_400, 172_800, 259_200]);
  expect(durationSplits(0, 1e-6, 4)).toEqual([0, 2.5e-7, 5e-7, 7.5e-7, 1e-6]);
  expect(durationSplits(0, 1e10, 4).length).toBeLessThan(7);
});

describe("stepSplits", () => {
  test.each([
    [0, 11, 5, [0, 5, 10]],
    [0, 3, 12, [0, 1, 2, 3]],
    [0, 9999, 5, [0, 2000, 4000, 6000, 8000]],
    [0, 250, 10, [0, 25, 50, 75, 100, 125, 150, 175, 200, 225, 250]],
    [0.5, 1.5, 5, [0.6, 0.8, 1, 1.2, 1.4]],
  ])("%d to %d with room for %d", (min, max, room, splits) => {
    expect(stepSplits(min, max, room)).toEqual(splits);
  });

  test("whole wherever two whole numbers are in sight", () => {
    for (let max = 2; max < 3000; max += 7) for (const room of [1, 3, 5, 9]) expect(stepSplits(0, max, room).every(Number.isInteger)).toBe(true);
  });
});
