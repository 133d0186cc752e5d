import { describe, expect, test } from "vitest";
import { smooth, timeConstant } from "./smooth.ts";

const floats = (...values: number[]): Float64Array => Float64Array.from(values);

describe("smooth", () => {
  test("a constant stays what it is, from the first point on", () => {
    for (const value of smooth(floats(0, 1, 5, 6, 100), floats(3, 3, 3, 3, 3), 2)) expect(value).toBeCloseTo(3, 12);
  });

  test("the first point is itself, not half of itself", () => {
    expect(smooth(floats(0, 1), floats(8, 8), 5)[0]).toBe(8);
  });

  test("what a point weighs depends on how far behind it lies", () => {
    const tau = 2;
    const out = smooth(floats(0, 6), floats(0, 1), tau);
    expect(out[1]).toBeCloseTo(1 / (1 + Math.exp(-3)), 12);
    // ... and not on how the x between is divided.
    const near = smooth(floats(0, 1), floats(0, 1), tau)[1] as number;
    expect(near).toBeLessThan(out[1] as number);
  });

  test("uneven steps give the curve that even ones give", () => {
    const x = Float64Array.from({ length: 400 }, (_, i) => i);
    const y = x.map((at) => Math.sin(at / 60));
    const uneven = [...x.keys()].filter((i) => i % 2 === 0 || i % 7 < 3);
    const all = smooth(x, y, 20);
    const some = smooth(Float64Array.from(uneven), Float64Array.from(uneven, (i) => y[i] as number), 20);
    for (let k = 50; k < uneven.length; k += 1) expect(Math.abs((some[k] as number) - (all[uneven[k] as number] as number))).toBeLessThan(0.03);
  });

  test("NaN is stepped over and stays a gap", () => {
    const out = smooth(floats(0, 1, 2), floats(1, Number.NaN, 1), 3);
    expect(out[1]).toBeNaN();
    expect(out[2]).toBeCloseTo(1, 12);
  });

  test("starts anew where x goes back", () => {
    expect(smooth(floats(0, 1, 0), floats(100, 100, 5), 1000)[2]).toBe(5);
  });

  test("without smoothing it is the same array", () => {
    const y = floats(1, 2);
    expect(smooth(floats(0, 1), y, timeConstant(0, 10))).toBe(y);
    expect(smooth(floats(0, 1), y, timeConstant(0.9, 0))).toBe(y);
  });
});

test("the slider means the same share of any span", () => {
  expect(timeConstant(0.99, 1000)).toBeCloseTo(99.5, 1);
  expect(timeConstant(0.99, 2000)).toBeCloseTo(2 * timeConstant(0.99, 1000), 9);
  expect(timeConstant(0.999, 100)).toBeGreaterThan(timeConstant(0.9, 100));
});
