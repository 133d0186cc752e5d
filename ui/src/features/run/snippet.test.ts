import { expect, it } from "vitest";
import { pythonString, readSnippet } from "./snippet.ts";

it("the Python to read a run holds its whole id, and a metric as it is called", () => {
  expect(readSnippet("b4c1f0", "loss")).toBe('import lineal\n\nrun = lineal.get_run("b4c1f0")\nrun.params, run.metrics\npoints = run.history("loss")\npoints.step, points.value  # every point, exact\n');
  expect(readSnippet("0123456789abcdef0123456789abcdef", null)).toContain('get_run(\n    "0123456789abcdef0123456789abcdef"\n)\n');
});

it("a name cannot leave its quotes", () => {
  expect(pythonString('a"); import os; ("\n')).toBe('"a\\"); import os; (\\"\\n"');
});
