import { expect, test } from "vitest";
import { pixelScale, shifted } from "./scale.ts";

test.each([
  [[-5, 20] as const, false],
  [[1e-4, 1e3] as const, true],
])("there and back again: %j", (interval, log) => {
  const scale = pixelScale(interval, 200, 0, log);
  expect(scale.toPixel(interval[0])).toBeCloseTo(200);
  expect(scale.toPixel(interval[1])).toBeCloseTo(0);
  for (const pixel of [0, 13, 99.5, 200]) expect(scale.toPixel(scale.toValue(pixel))).toBeCloseTo(pixel, 9);
});

test("a log scale has no place for 0", () => {
  const scale = pixelScale([1, 10], 0, 100, true);
  expect(scale.toPixel(0)).toBeNaN();
  expect(scale.toPixel(-1)).toBeNaN();
});

test("dragging to the right shows what was left of it", () => {
  const [low, high] = shifted([0, 10], 20, 100, false);
  expect([low, high]).toEqual([-2, 8]);
  const log = shifted([1, 100], 50, 100, true);
  expect(log[0]).toBeCloseTo(0.1);
  expect(log[1]).toBeCloseTo(10);
});
