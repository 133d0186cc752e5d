import { describe, expect, test } from "vitest";
import { isRising, lowerBound, nearestIndex, orderOf } from "./bisect.ts";

describe("nearestIndex", () => {
  test("agrees with looking at every row", () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let round = 0; round < 200; round += 1) {
      const xs = Float64Array.from({ length: 1 + Math.floor(random() * 12) }, () => Math.floor(random() * 20)).sort();
      const at = random() * 24 - 2;
      const best = Math.min(...xs.map((x) => Math.abs(x - at)));
      expect(Math.abs((xs[nearestIndex(xs, at)] as number) - at)).toBe(best);
    }
  });

  test("of nothing is -1", () => {
    expect(nearestIndex([], 3)).toBe(-1);
  });

  test("the earlier on a tie", () => {
    expect(nearestIndex([0, 2], 1)).toBe(0);
  });
});

test("lowerBound is the first that is not smaller", () => {
  expect([0, 1, 1.5, 2, 9].map((at) => lowerBound([1, 2, 2, 3], at))).toEqual([0, 0, 1, 1, 4]);
});

test("steps that go back get an order, equal ones stay as they were", () => {
  expect(orderOf(Float64Array.from([1, 2, 2, 3]))).toBeNull();
  expect([...(orderOf(Float64Array.from([2, 3, 1, 2])) ?? [])]).toEqual([2, 0, 3, 1]);
  expect(isRising([1, 1, 2])).toBe(true);
  expect(isRising([1, Number.NaN, 2])).toBe(false);
});
