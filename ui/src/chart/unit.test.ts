import { expect, test } from "vitest";
import { bytesTicks } from "./ticks.ts";
import { countsBytes, valueText } from "./unit.ts";

test("names that end in bytes count bytes", () => {
  expect(["system/memory_bytes", "system/disk/read_bytes_per_s", "bytes", "kilobytes", "bytes_left", "loss"].map(countsBytes)).toEqual([true, true, true, false, false, false]);
  expect(valueText("system/memory_bytes", 843_788_288)).toBe("844 MB");
  expect(valueText("system/disk/read_bytes_per_s", 1234.5)).toBe("1.2 kB/s");
  expect(valueText("loss", 1234.5)).toBe("1234.5");
  expect(valueText("x_bytes", NaN)).toBe("NaN");
});

test("ticks of bytes share a unit and as many decimals as they need", () => {
  expect(bytesTicks([845e6, 850e6, 855e6])).toEqual(["845 MB", "850 MB", "855 MB"]);
  expect(bytesTicks([0, 0.5e9, 1e9, 1.5e9])).toEqual(["0", "0.5 GB", "1.0 GB", "1.5 GB"]);
  expect(bytesTicks([50_009_550_000, 50_009_600_000])).toEqual(["50.00955 GB", "50.00960 GB"]);
  expect(bytesTicks([0, 200, 400])).toEqual(["0", "200 B", "400 B"]);
  expect(bytesTicks([-1, 0, 1])).toEqual(["−1 B", "0", "1 B"]);
  expect(bytesTicks([null, 1000])).toEqual(["", "1 kB"]);
});
