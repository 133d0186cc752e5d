import { expect, test } from "vitest";
import { bytesSplits } from "./splits.ts";
import { bytesTicks } from "./ticks.ts";
import { countsBytes, valueText } from "./unit.ts";

test("names that end in bytes count bytes", () => {
  expect(["system/memory_bytes", "system/disk/read_bytes_per_s", "bytes", "kilobytes", "bytes_left", "loss"].map(countsBytes)).toEqual([true, true, true, false, false, false]);
  expect(valueText("system/memory_bytes", 843_788_288)).toBe("805 MiB");
  expect(valueText("system/disk/read_bytes_per_s", 1234.5)).toBe("1.21 KiB/s");
  expect(valueText("loss", 1234.5)).toBe("1234.5");
  expect(valueText("x_bytes", NaN)).toBe("NaN");
});

test("ticks of bytes share a unit and as many decimals as they need", () => {
  const [mib, gib] = [2 ** 20, 2 ** 30];
  expect(bytesTicks([845 * mib, 850 * mib, 855 * mib])).toEqual(["845 MiB", "850 MiB", "855 MiB"]);
  expect(bytesTicks([0, 0.5 * gib, gib, 1.5 * gib])).toEqual(["0", "0.5 GiB", "1.0 GiB", "1.5 GiB"]);
  expect(bytesTicks([50.00955 * gib, 50.0096 * gib])).toEqual(["50.00955 GiB", "50.00960 GiB"]);
  expect(bytesTicks([gib, gib + mib])).toEqual(["1.00000 GiB", "1.00098 GiB"]);
  expect(bytesTicks([0, 200, 400])).toEqual(["0", "200 B", "400 B"]);
  expect(bytesTicks([-1, 0, 1])).toEqual(["−1 B", "0", "1 B"]);
  expect(bytesTicks([null, 1024])).toEqual(["", "1 KiB"]);
});

test("ticks of bytes lie where their texts are short", () => {
  expect(bytesTicks(bytesSplits(0, 1.6e9, 4))).toEqual(["0", "0.5 GiB", "1.0 GiB"]);
  expect(bytesTicks(bytesSplits(900e6, 1000e6, 4))).toEqual(["875 MiB", "900 MiB", "925 MiB", "950 MiB"]);
  expect(bytesTicks(bytesSplits(0, 0, 4))).toEqual([]);
});
