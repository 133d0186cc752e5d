import { describe, expect, test } from "vitest";
import { assignColors, colorAt, colorOf, PALETTE } from "./colors.ts";

type Rgb = [number, number, number];

function linear(hex: string): Rgb {
  const channel = (at: number): number => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function luminance(hex: string): number {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function oklab([r, g, b]: Rgb): Rgb {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

// Machado et al. 2009, full severity.
const DEUTAN: Rgb[] = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]];
const PROTAN: Rgb[] = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];

function seen(color: Rgb, by: Rgb[] | null): Rgb {
  if (!by) return color;
  const clip = (row: Rgb): number => Math.min(1, Math.max(0, row[0] * color[0] + row[1] * color[1] + row[2] * color[2]));
  return [clip(by[0]!), clip(by[1]!), clip(by[2]!)];
}

function distance(a: string, b: string, by: Rgb[] | null): number {
  const [x, y] = [oklab(seen(linear(a), by)), oklab(seen(linear(b), by))];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

describe("palette", () => {
  test("has a hundred different colours", () => {
    expect(new Set(PALETTE).size).toBe(100);
  });

  test("stands out from white and from near-black", () => {
    for (const color of PALETTE) {
      expect(contrast(luminance(color), 1), color).toBeGreaterThan(2.7);
      expect(contrast(luminance(color), luminance("#16171b")), color).toBeGreaterThan(2.7);
    }
  });

  test.each([["normal", null, 0.08], ["deutan", DEUTAN, 0.06], ["protan", PROTAN, 0.06]] as const)(
    "tells ten runs apart: %s vision",
    (_name, by, least) => {
      for (let i = 0; i < 10; i += 1) {
        for (let j = 0; j < i; j += 1) expect(distance(colorAt(i), colorAt(j), by as Rgb[] | null), `${i} ${j}`).toBeGreaterThan(least);
      }
    },
  );
});

describe("slots", () => {
  test("a run keeps its colour while others come and go", () => {
    const first = assignColors(new Map(), ["a", "b", "c"]);
    const second = assignColors(first, ["c", "d", "a"]);
    expect(second.get("a")).toBe(first.get("a"));
    expect(second.get("c")).toBe(first.get("c"));
    expect(second.get("d")).toBe(1); // what b left
    expect(new Set(second.values()).size).toBe(3);
  });

  test("order does not matter to those that stay", () => {
    const first = assignColors(new Map(), ["a", "b"]);
    expect(assignColors(first, ["b", "a"])).toEqual(new Map([["b", 1], ["a", 0]]));
  });

  test("without a slot the id decides, always the same way", () => {
    expect(colorOf("run-1")).toBe(colorOf("run-1"));
    expect(colorOf("run-1", 3)).toBe(colorAt(3));
    expect(colorAt(103)).toBe(colorAt(3));
  });
});
