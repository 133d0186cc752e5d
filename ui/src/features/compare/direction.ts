// Which of two values of a metric is better: as declared, else as its name suggests. The rule of model/direction.py.

import type { MetricDefinition } from "../../api/shapes.ts";

export type Goal = "min" | "max";

export interface Direction {
  readonly goal: Goal;
  /** False: guessed from the name. */
  readonly isDeclared: boolean;
}

const LOW = ["loss", "error", "perplexity", "rmse", "mae", "mse", "latency", "time"];

export function directionOf(name: string, definition: MetricDefinition | undefined): Direction {
  const declared = definition?.goal;
  if (declared === "min" || declared === "max") return { goal: declared, isDeclared: true };
  const words = new Set((name.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map((word) => word.toLowerCase()));
  const isLow = LOW.some((word) => words.has(word) || words.has(word.replace(/s+$/, "")) || words.has(`${word}es`));
  return { goal: isLow ? "min" : "max", isDeclared: false };
}

/** The best of the numbers, NaN never; null if there is none. */
export function bestOf(values: readonly number[], goal: Goal): number | null {
  const usable = values.filter((value) => !Number.isNaN(value));
  return usable.length === 0 ? null : usable.reduce((best, value) => (goal === "min" ? Math.min(best, value) : Math.max(best, value)));
}
