// "How do I get this into my notebook?"

/** A Python string literal. JSON's escapes mean the same in Python. */
export function pythonString(text: string): string {
  return JSON.stringify(text);
}

export function readSnippet(runId: string, metric: string | null): string {
  const lines = ["import lineal", "", `run = lineal.get_run(${pythonString(runId)})`, "run.params, run.metrics"];
  if (metric !== null) lines.push(`points = run.history(${pythonString(metric)})  # every point: .step, .time_ms, .value`);
  return lines.join("\n") + "\n";
}
