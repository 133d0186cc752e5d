import { describe, expect, test } from "vitest";
import { durationTicks, logTicks, NUMBER_STEPS, numberTicks } from "./ticks.ts";

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

  test("the steps are exact and rise", () => {
    expect(NUMBER_STEPS).toContain(0.1);
    expect(NUMBER_STEPS).toContain(0.25);
    expect([...NUMBER_STEPS].sort((a, b) => a - b)).toEqual(NUMBER_STEPS);
  });
});

test("logTicks", () => {
  expect(logTicks([0.00001, 0.001, 0.1, 1, 10, 1000, 100_000, null])).toEqual(["1e−5", "0.001", "0.1", "1", "10", "1000", "1e5", ""]);
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
