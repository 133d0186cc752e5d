import { describe, expect, it } from "vitest";
import { formatAgo, formatBytes, formatCount, formatDuration, formatInColumn, formatNumber, formatParam, numberOf } from "./format.ts";

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [0.1 + 0.2, "0.3"],
    [0.98765, "0.9877"],
    [1234.5678, "1235"],
    [12345.678, "12,346"],
    [42, "42"],
    [1000000, "1,000,000"],
    [1.5e12, "1.5e12"],
    [0.00001234, "1.234e\u22125"],
    [0.0001, "0.0001"],
    [-3.14159, "\u22123.142"],
    [NaN, "NaN"],
    [-Infinity, "\u2212\u221e"],
  ])("%d is %s", (value, text) => expect(formatNumber(value)).toBe(text));
});

it.each([
  [0.95, "0.9500"],
  [0.039451, "0.0395"],
  [-9.99999, "\u221210.0000"],
  [123.456, "123.46"],
  [12345.67, "12,345.7"],
  [0.00012, "0.00012"],
  [0.000012, "1.2e\u22125"],
  [-0.00031234, "\u22123.12e\u22124"],
  [0.0003, "0.0003"],
  [3, "3"],
])("%d in a column is %s", (value, text) => expect(formatInColumn(value)).toBe(text));

it("counts have commas, params have none", () => {
  expect(formatCount(5000)).toBe("5,000");
  expect(formatParam(2024)).toBe("2024");
  expect(formatParam(123456.75)).toBe("123457");
  expect(formatParam(0.1 + 0.2)).toBe("0.3");
  expect(formatParam(-100000)).toBe("\u2212100000");
});

it("numbers of the wire", () => {
  expect(numberOf("NaN")).toBeNaN();
  expect(numberOf("-Infinity")).toBe(-Infinity);
  expect(numberOf(3)).toBe(3);
});

it.each([
  [0, "0 ms"],
  [0.9996, "1.0 s"],
  [9.96, "10 s"],
  [59.6, "1 min"],
  [61, "1 min 1 s"],
  [3600, "1 h"],
  [90061, "1 d 1 h"],
])("%d seconds last %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

it.each([
  // The same as in tests/unit/cli/test_wording.py: the page and the command line say it alike.
  [0, "0 bytes"],
  [1023, "1023 bytes"],
  [1024, "1 KiB"],
  [1500, "1.46 KiB"],
  [73_400, "71.7 KiB"],
  [102_348, "99.9 KiB"],
  [102_399, "100 KiB"],
  [2 ** 20 - 1, "1 MiB"],
  [3 * 2 ** 30, "3 GiB"],
  [2 ** 61, "2048 PiB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it("says how long ago", () => {
  const now = Date.parse("2026-11-25T12:00:00Z");
  expect(formatAgo("2026-11-25T11:59:55Z", now)).toBe("just now");
  expect(formatAgo("2026-11-25T11:57:30Z", now)).toBe("2 min ago");
  expect(formatAgo("2026-11-24T11:00:00Z", now)).toBe("1 d ago");
  expect(formatAgo("2025-06-15T12:00:00Z", now)).toBe("15 Jun 2025");
});
