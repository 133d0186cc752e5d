import { describe, expect, test } from "vitest";
import { domainOf, widened, type DomainOptions } from "./domain.ts";
import { bucketSeries, pointSeries } from "./example-series.ts";
import { makeTrack, type Track } from "./track.ts";

const OPTIONS: DomainOptions = { logX: false, logY: false, robust: false, zoom: null };

function points(step: number[], value: number[]): Track {
  return makeTrack(pointSeries({ step, value }), "step", 0, { runName: "r", color: "#000", dash: 0, isLive: false, startMs: null, span: null });
}

describe("domainOf", () => {
  test("takes in every run, and leaves some air above and below", () => {
    const domain = domainOf([points([0, 10], [1, 3]), points([5, 20], [-1, 0])], OPTIONS);
    expect(domain.x).toEqual([0, 20]);
    expect(domain.y[0]).toBeCloseTo(-1.2);
    expect(domain.y[1]).toBeCloseTo(3.2);
  });

  test("a spike within a bucket belongs to the range", () => {
    const values = Array.from({ length: 100 }, () => 0);
    values[37] = 50;
    const track = makeTrack(bucketSeries(values, 10), "step", 0, { runName: "r", color: "", dash: 0, isLive: false, startMs: null, span: null });
    expect(domainOf([track], OPTIONS).y[1]).toBeGreaterThan(50);
    expect(domainOf([track], OPTIONS).x).toEqual([0, 99]);
    expect(domainOf([track], { ...OPTIONS, logX: true }).x).toEqual([9, 99]);
  });

  test("a span that is shared is shown at least", () => {
    const tracks = [points([5, 10], [1, 3])];
    expect(domainOf(tracks, { ...OPTIONS, span: [0, 8] }).x).toEqual([0, 10]);
    expect(domainOf(tracks, { ...OPTIONS, span: [0, 20], zoom: { x: [6, 7], y: null } }).x).toEqual([6, 7]);
    expect(domainOf(tracks, { ...OPTIONS, span: [0, 20], logX: true }).x).toEqual([5, 10]);
  });

  test("zoomed in x, y follows what is in sight", () => {
    const domain = domainOf([points([0, 1, 2, 3], [100, 1, 2, 100])], { ...OPTIONS, zoom: { x: [0.5, 2.5], y: null } });
    expect(domain.x).toEqual([0.5, 2.5]);
    expect(domain.y).toEqual([0.95, 2.05]);
  });

  test("zoomed in y, that is the range", () => {
    expect(domainOf([points([0, 1], [0, 9])], { ...OPTIONS, zoom: { x: null, y: [4, 5] } }).y).toEqual([4, 5]);
  });

  test("a log axis counts what it has no place for", () => {
    const domain = domainOf([points([0, 1, 10, 100], [5, -1, 0, 10])], { ...OPTIONS, logX: true, logY: true });
    expect(domain.nonPositiveX).toBe(1);
    expect(domain.nonPositiveY).toBe(2);
    expect(domain.x).toEqual([1, 100]);
    expect(domain.y[0]).toBeGreaterThan(0);
  });

  test("without outliers the range is that of the many, and the rest is counted", () => {
    const step = Array.from({ length: 200 }, (_, i) => i);
    const value = step.map((i) => (i === 50 ? 1e6 : i === 70 ? -1e6 : Math.sin(i)));
    const domain = domainOf([points(step, value)], { ...OPTIONS, robust: true });
    expect(domain.y[1]).toBeLessThan(5);
    expect(domain.y[0]).toBeGreaterThan(-5);
    expect(domain.beyond).toBe(2);
    expect(domainOf([points(step, value)], OPTIONS).beyond).toBe(0);
  });

  test("a few points have no outliers", () => {
    expect(domainOf([points([0, 1, 2], [1, 1, 100])], { ...OPTIONS, robust: true }).y[1]).toBeGreaterThan(100);
  });

  test("only NaN, or nothing at all, still is a plane", () => {
    expect(domainOf([], OPTIONS)).toMatchObject({ x: [0, 1], y: [0, 1] });
    expect(domainOf([points([3], [Number.NaN])], OPTIONS).y).toEqual([0, 1]);
    expect(domainOf([points([0], [-1])], { ...OPTIONS, logX: true, logY: true })).toMatchObject({ x: [1, 10], y: [1, 10] });
  });
});

describe("widened", () => {
  test.each([
    [5, 5, false],
    [0, 0, false],
    [-3, -3, false],
    [7, 7, true],
  ])("%d to %d is never empty", (min, max, log) => {
    const [low, high] = widened(min, max, log, 0);
    expect(low).toBeLessThan(min);
    expect(high).toBeGreaterThan(max);
  });
});
