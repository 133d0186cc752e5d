// Which of two values of a metric is better: as declared, else as its name suggests. The rule of model/direction.py.

import type { MetricDefinition } from "../../api/shapes.ts";

export type Goal = "min" | "max";

export interface Direction {
  readonly goal: Goal;
  /** False: guessed from the name. */
  readonly isDeclared: boolean;
}

const STEMS = ["loss", "error", "perplexity", "rmse", "mae", "mse", "latency", "time"];
const LOW = new Set([...STEMS.flatMap((stem) => [stem, `${stem}s`, `${stem}es`]), "latencies", "perplexities"]);

export function directionOf(name: string, definition: MetricDefinition | undefined): Direction {
  const declared = definition?.goal;
  if (declared === "min" || declared === "max") return { goal: declared, isDeclared: true };
  const words = name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? [];
  return { goal: words.some((word) => LOW.has(word.toLowerCase())) ? "min" : "max", isDeclared: false };
}

/** The best of the numbers, NaN never; null if there is none. */
export function bestOf(values: readonly number[], goal: Goal): number | null {
  const usable = values.filter((value) => !Number.isNaN(value));
  return usable.length === 0 ? null : usable.reduce((best, value) => (goal === "min" ? Math.min(best, value) : Math.max(best, value)));
}
