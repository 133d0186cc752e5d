import { expect, test } from "vitest";
import { readCaptures } from "./captures.ts";
import { totalsOf } from "./totals.ts";

test("only what was measured is shown", () => {
  const of = (content: object) => totalsOf(readCaptures([{ attempt_id: "a", part: "resources", content }]).resources!);
  expect(of({ wall_s: 3 })).toEqual([]);
  expect(of({ cpu_hours: 0.5, peak_memory_bytes: 2e9, gpu_hours: 2, gpu_idle_share: 0.25, energy_wh: 1500, cost: { amount: 1.5, currency: "EUR" } })).toEqual([
    { name: "CPU time", value: "30 min" },
    { name: "GPU time", value: "2 h" },
    { name: "Peak memory", value: "2.0 GB" },
    { name: "GPU idle", value: "25 %" },
    { name: "Energy", value: "1.5 kWh" },
    { name: "Cost", value: "1.50 EUR" },
  ]);
});

test("ranks add up, attempts follow each other", () => {
  const resources = readCaptures([
    { attempt_id: "b", part: "resources", content: { wall_s: 10, cpu_hours: 1, peak_memory_bytes: 5, gpu_hours: 1, gpu_idle_share: 0.5, cost: { amount: 2, currency: "EUR" }, disk_read_bytes: 0 } },
    { attempt_id: "a", part: "resources", content: { wall_s: 50, cpu_hours: 4, peak_memory_bytes: 7, cost: { amount: 1, currency: "USD" } } },
    // Ranks above 0 open no attempt.
    { attempt_id: "", part: "resources.rank-1", content: { wall_s: 12, cpu_hours: 2, peak_memory_bytes: 6, gpu_hours: 3, gpu_idle_share: 0.1, cost: { amount: 3, currency: "EUR" } } },
  ]).resources!;
  expect([resources.wallS, resources.cpuHours, resources.peakMemoryBytes, resources.gpuHours]).toEqual([62, 7, 11, 4]);
  expect(resources.gpuIdleShare).toBeCloseTo(0.2);
  expect(totalsOf(resources).filter(({ name }) => name === "Cost" || name === "Read")).toEqual([{ name: "Cost", value: "5.00 EUR and 1.00 USD" }]);
});
