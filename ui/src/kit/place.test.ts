import { expect, it } from "vitest";
import { place } from "./place.ts";

const window_ = { width: 1000, height: 600 };

it("opens below its anchor", () => {
  expect(place({ left: 100, top: 50, width: 80, height: 28 }, { width: 200, height: 100 }, window_)).toEqual({ left: 100, top: 82 });
});

it("opens above where there is no room below", () => {
  expect(place({ left: 100, top: 550, width: 80, height: 28 }, { width: 200, height: 100 }, window_).top).toBe(446);
});

it("never leaves the window", () => {
  expect(place({ left: 950, top: 50, width: 40, height: 28 }, { width: 200, height: 100 }, window_).left).toBe(792);
  expect(place({ left: 0, top: 50, width: 40, height: 28 }, { width: 200, height: 100 }, window_, "end").left).toBe(8);
  expect(place({ left: 0, top: 300, width: 40, height: 28 }, { width: 200, height: 900 }, window_).top).toBe(8);
});
