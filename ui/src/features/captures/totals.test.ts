import { expect, test } from "vitest";
import { readCaptures } from "./captures.ts";
import { totalsOf } from "./totals.ts";

test("only what was measured is shown", () => {
  const of = (content: object) => totalsOf(readCaptures([{ attempt_id: "a", part: "resources", content }]).resources!);
  expect(of({ wall_s: 3 })).toEqual([]);
  expect(of({ cpu_hours: 0.5, peak_memory_bytes: 2e9, gpu_hours: 2, gpu_idle_share: 0.25, energy_wh: 1500, cost: { amount: 1.5, currency: "EUR" } })).toEqual([
    { name: "CPU time", value: "30 min" },
    { name: "GPU time", value: "2 h" },
    { name: "Peak memory", value: "1.86 GiB" },
    { name: "GPU idle", value: "25 %" },
    { name: "Energy", value: "1.5 kWh" },
    { name: "Cost", value: "1.50 EUR" },
  ]);
});

test("ranks add up, attempts follow each other", () => {
  const resources = readCaptures([
    { attempt_id: "b", part: "resources", time: "2026-01-01T00:02:00Z", content: { wall_s: 10, cpu_hours: 1, peak_memory_bytes: 5, gpu_hours: 1, gpu_idle_share: 0.5, cost: { amount: 2, currency: "EUR" }, disk_read_bytes: 0 } },
    { attempt_id: "a", part: "resources", time: "2026-01-01T00:01:00Z", content: { wall_s: 50, cpu_hours: 4, peak_memory_bytes: 7, cost: { amount: 1, currency: "USD" } } },
    // Ranks above 0 open no attempt.
    { attempt_id: "", part: "resources.rank-1", time: "2026-01-01T00:02:00Z", content: { wall_s: 12, cpu_hours: 2, peak_memory_bytes: 6, gpu_hours: 3, gpu_idle_share: 0.1, cost: { amount: 3, currency: "EUR" } } },
  ]).resources!;
  expect([resources.wallS, resources.cpuHours, resources.peakMemoryBytes, resources.gpuHours]).toEqual([62, 7, 11, 4]);
  expect(resources.gpuIdleShare).toBeCloseTo(0.2);
  expect(totalsOf(resources).filter(({ name }) => name === "Cost" || name === "Read")).toEqual([{ name: "Cost", value: "5.00 EUR and 1.00 USD" }]);
});

test("what a rank used before a run was resumed is counted where it lived", () => {
  const of = (attempt_id: string, part: string, time: string, wall_s: number, peak_memory_bytes: number) => ({ attempt_id, part, time: `2026-01-01T00:${time}Z`, content: { wall_s, peak_memory_bytes, cpu_hours: 1 } });
  const resources = readCaptures([
    of("b", "resources", "03:24", 4, 5),
    of("a", "resources", "01:40", 50, 9),
    of("", "resources.rank-1.w1", "01:41", 55, 5),
    of("a", "resources.rank-1.w2", "03:23", 5, 6),
    of("", "resources.rank-2.w3", "03:24", 3, 7),
    of("", "resources.rank-2.w4", "01:10", 15, 2),
    of("", "resources.rank-2.w5", "01:39", 15, 3),
  ]).resources!;
  expect([resources.wallS, resources.cpuHours, resources.peakMemoryBytes]).toEqual([60, 7, 18]);
});
