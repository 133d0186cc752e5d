/** Places on the x axis as text. */

import { formatCount, formatDuration, formatNumber, formatTime } from "../lib/format.ts";
import type { PointFacts } from "./near.ts";
import type { XKind } from "./track.ts";

export const X_NAMES: Readonly<Record<XKind, string>> = { step: "step", time: "time", relative: "time since start" };

export function xText(x: number, kind: XKind): string {
  if (kind === "time") return formatTime(new Date(x).toISOString());
  if (kind === "relative") return `${x < 0 ? "before start" : formatDuration(x)}`;
  return `step ${stepNumber(Math.abs(x) >= 10 ? Math.round(x) : x)}`;
}

/** The step of a point, or the steps of a bucket. */
export function stepText({ step, bucket }: PointFacts): string {
  if (!bucket || bucket.stepMin === step) return `step ${stepNumber(step)}`;
  return `steps ${stepNumber(bucket.stepMin)}–${stepNumber(step)}`;
}

function stepNumber(step: number): string {
  return Number.isInteger(step) && Math.abs(step) < 1e15 && step >= 0 ? formatCount(step) : formatNumber(step, 6);
}
