import { expect, test } from "vitest";
import { readCaptures } from "./captures.ts";
import { totalsOf } from "./totals.ts";

test("only what was measured is shown", () => {
  const of = (content: object) => totalsOf(readCaptures([{ attempt_id: "a", part: "resources", content }]).resources!);
  expect(of({ wall_s: 3 })).toEqual([]);
  expect(of({ cpu_hours: 0.5, peak_memory_bytes: 2e9, gpu_idle_share: 0.25, energy_wh: 1500, cost: { amount: 1.5, currency: "EUR" } })).toEqual([
    { name: "CPU time", value: "30 min" },
    { name: "Peak memory", value: "2.0 GB" },
    { name: "GPU idle", value: "25 %" },
    { name: "Energy", value: "1.5 kWh" },
    { name: "Cost", value: "1.50 EUR" },
  ]);
});
