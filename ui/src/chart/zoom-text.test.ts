import { describe, expect, test } from "vitest";
import type { Zoom } from "./domain.ts";
import { zoomFromText, zoomToText } from "./zoom-text.ts";

describe("a zoom as text", () => {
  test.each<[string, Zoom, string]>([
    ["loss", { x: [10, 20], y: null }, "10~20~~~loss"],
    ["train/loss", { x: null, y: [-0.5, 0.25] }, "~~-0.5~0.25~train/loss"],
    ["odd~name, with ~ signs", { x: [0, 1], y: [1e-12, 2e-12] }, "0~1~1e-12~2e-12~odd~name, with ~ signs"],
    ["", { x: [3, 4.5], y: null }, "3~4.5~~~"],
  ])("%s %j", (metric, zoom, text) => {
    expect(zoomToText(metric, zoom)).toBe(text);
    expect(zoomFromText(text)).toEqual([[metric, zoom]]);
  });

  test("keeps no more digits than can be seen, and always those", () => {
    for (const [low, high] of [[1.23456789, 98.7654321], [1_700_000_000_123.4, 1_700_000_060_000.1], [1, 1 + 1e-9], [-1e300, 1e300]] as const) {
      const found = zoomFromText(zoomToText("m", { x: [low, high], y: null }))?.[0][1].x;
      expect(found).toBeDefined();
      expect(Math.abs(found![0] - low)).toBeLessThanOrEqual((high - low) / 1000);
      expect(Math.abs(found![1] - high)).toBeLessThanOrEqual((high - low) / 1000);
    }
    expect(zoomToText("m", { x: [1.23456789, 98.7654321], y: null }).length).toBeLessThan(24);
  });

  test.each(["", "loss", "1~2", "~~~~loss", "2~1~~~loss", "a~b~~~loss", "0~Infinity~~~loss"])("%s is none", (text) => {
    expect(zoomFromText(text)).toBeNull();
  });
});
