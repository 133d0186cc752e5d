/** Why a version was chosen, in words. */

import type { Choice } from "../../api/shapes.ts";
import { formatCount, formatNumber, numberOf } from "../../lib/format.ts";

/** "1st of 24", "last of 2", and so on; what it means stands beside it. */
export function rankText(choice: Choice): string {
  if (choice.rank === null || choice.rank === undefined) return "not among them";
  const tie = choice.equal_count > 0 ? `, with ${formatCount(choice.equal_count)} as good` : "";
  return `${ordinal(choice.rank)} of ${formatCount(choice.run_count)}${tie}`;
}

export function ordinal(rank: number): string {
  const tens = rank % 100;
  const suffix = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${formatCount(rank)}${suffix}`;
}

/** Why it is this metric, and which way is better. */
export function ruleText(choice: Choice): string {
  const way = `${choice.goal === "max" ? "higher" : "lower"} is better${choice.goal_is_declared ? ", as declared" : ", by its name"}`;
  if (choice.rule === "asked") return way;
  return `${way}; the metric ${choice.rule === "declared" ? "with a declared direction " : ""}that most runs have`;
}

export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity") return formatNumber(numberOf(value as number));
  if (typeof value === "object") return JSON.stringify(value);
  return String(value as string | boolean);
}
