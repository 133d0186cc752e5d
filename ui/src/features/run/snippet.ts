// "How do I get this into my notebook?"

/** A Python string literal. JSON's escapes mean the same in Python. */
export function pythonString(text: string): string {
  return JSON.stringify(text);
}

/** A long argument gets a line of its own: the panel is narrow. */
function call(head: string, argument: string): string[] {
  const text = pythonString(argument);
  return head.length + text.length < 40 ? [`${head}(${text})`] : [`${head}(`, `    ${text}`, ")"];
}

export function readSnippet(runId: string, metric: string | null): string {
  const lines = ["import lineal", "", ...call("run = lineal.get_run", runId), "run.params, run.metrics"];
  if (metric !== null) lines.push(...call("points = run.history", metric), "points.step, points.value  # every point, exact");
  return lines.join("\n") + "\n";
}
