import { describe, expect, test } from "vitest";
import { durationTicks, logTicks, numberTicks, timeTicks } from "./ticks.ts";

describe("numberTicks", () => {
  test.each([
    [[0, 0.2, 0.4], ["0.0", "0.2", "0.4"]],
    [[0, 0.25, 0.5], ["0.00", "0.25", "0.50"]],
    [[0, 5, 10], ["0", "5", "10"]],
    [[0, 2000, 4000], ["0", "2000", "4000"]],
    [[0, 5000, 10_000], ["0", "5k", "10k"]],
    [[10_000, 12_500, 15_000], ["10.0k", "12.5k", "15.0k"]],
    [[0, 500_000, 1_000_000], ["0", "0.5M", "1.0M"]],
    [[-1, 0, 1], ["−1", "0", "1"]],
    [[0, 0.00002, 0.00004], ["0", "2e−5", "4e−5"]],
    [[1e17, 2e17], ["1e17", "2e17"]],
    [[0, 250_000_000, 1_000_000_000], ["0", "0.25e9", "1.00e9"]],
    [[0, 2e12, 4e12], ["0", "2e12", "4e12"]],
  ])("%j", (splits, texts) => {
    expect(numberTicks(splits)).toEqual(texts);
  });

  test("numbers far from zero stay different from one another", () => {
    expect(new Set(numberTicks([1_000_000, 1_000_001, 1_000_002])).size).toBe(3);
    expect(new Set(numberTicks([0.99991, 0.99992, 0.99993])).size).toBe(3);
  });

  test("left out ticks have no text", () => {
    expect(numberTicks([0, null, 2])).toEqual(["0", "", "2"]);
    expect(numberTicks([])).toEqual([]);
  });
});

test("logTicks", () => {
  expect(logTicks([0.00001, 0.001, 0.1, 1, 10, 1000, 100_000, null])).toEqual(["1e−5", "0.001", "0.1", "1", "10", "1000", "1e5", ""]);
});

test("logTicks that lie close together stay different", () => {
  expect(logTicks([1e17, 1.05e17, 1.1e17])).toEqual(["1.00e17", "1.05e17", "1.10e17"]);
  expect(logTicks([3.2, 3.4])).toEqual(["3.2", "3.4"]);
});

describe("durationTicks", () => {
  test.each([
    [[0, 0.2, 0.4], ["0", "0.2 s", "0.4 s"]],
    [[0, 0.005], ["0", "5 ms"]],
    [[0, 10, 20], ["0", "10 s", "20 s"]],
    [[30, 60, 90], ["30 s", "1:00", "1:30"]],
    [[0, 600, 1200], ["0", "10 min", "20 min"]],
    [[3000, 3600, 4200], ["50 min", "1h00", "1h10"]],
    [[0, 7200, 14_400], ["0", "2 h", "4 h"]],
    [[0, 86_400], ["0", "1 d"]],
  ])("%j", (splits, texts) => {
    expect(durationTicks(splits)).toEqual(texts);
  });
});

describe("timeTicks", () => {
  const at = (day: number, hour: number, minute = 0, second = 0, ms = 0): number => new Date(2026, 1, day, hour, minute, second, ms).getTime();

  test("the day stands below where it changes", () => {
    expect(timeTicks([at(3, 18), at(3, 21), at(4, 0)], 3 * 3_600_000)).toEqual(["18:00\n3 Feb", "21:00", "00:00\n4 Feb"]);
  });

  test.each([
    [[at(3, 0), at(5, 0)], 2 * 86_400_000, ["3 Feb\n2026", "5 Feb"]],
    [[at(3, 8, 5, 10), at(3, 8, 5, 20)], 10_000, ["08:05:10\n3 Feb", "08:05:20"]],
    [[at(3, 8, 5, 10, 5), at(3, 8, 5, 10, 10)], 5, [":10.005\n3 Feb 08:05", ":10.010"]],
  ])("%j", (splits, step, texts) => {
    expect(timeTicks(splits, step)).toEqual(texts);
  });
});
