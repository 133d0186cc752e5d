import { expect, test } from "vitest";
import { encodeQuery } from "../lib/routes.ts";
import { DEFAULT_SETTINGS, SETTINGS_QUERY_NAMES, settingsFromQuery, settingsToQuery, type ChartSettings } from "./settings.ts";

const OTHER: ChartSettings = { x: "relative", smoothing: 0.95, logX: true, logY: true, band: false, robust: true, linked: true, columns: 3, search: "/loss$/", pins: ["val/loss", "a, b"], zooms: { "val/loss": { x: [1, 2.5], y: null }, "": { x: [0, 100], y: null } } };

test("there and back again", () => {
  for (const settings of [DEFAULT_SETTINGS, OTHER]) expect(settingsFromQuery(new URLSearchParams(encodeQuery(settingsToQuery(settings))))).toEqual(settings);
});

test("the default needs no parameter, and every parameter has its name in the list", () => {
  expect(settingsToQuery(DEFAULT_SETTINGS)).toEqual({});
  expect(Object.keys(settingsToQuery(OTHER)).sort()).toEqual([...SETTINGS_QUERY_NAMES].sort());
});

test("nonsense is as by default", () => {
  expect(settingsFromQuery(new URLSearchParams("x=up&smooth=abc&columns=-4&logy=yes&zoom=loss,2~1~~~loss&pin="))).toEqual(DEFAULT_SETTINGS);
  expect(settingsFromQuery(new URLSearchParams("smooth=7&columns=99"))).toMatchObject({ smoothing: 0.999, columns: 6 });
});

test("charts that are drawn over time say only when they are not", () => {
  expect(settingsFromQuery(new URLSearchParams(""), "relative").x).toBe("relative");
  expect(settingsFromQuery(new URLSearchParams("x=step"), "relative").x).toBe("step");
  expect(settingsToQuery({ ...DEFAULT_SETTINGS, x: "relative" }, "relative")).toEqual({});
  expect(settingsToQuery(DEFAULT_SETTINGS, "relative")).toEqual({ x: "step" });
});
