/** Places on the x axis as text. */

import { formatCount, formatDuration, formatNumber, formatTime } from "../lib/format.ts";
import type { NearRow, PointFacts } from "./near.ts";
import type { XKind } from "./track.ts";

export const X_NAMES: Readonly<Record<XKind, string>> = { step: "step", time: "time", relative: "time since start" };

/** Where the point, or the bucket, lies. */
export function placeText({ track, row }: NearRow, { step, timeMs, bucket }: PointFacts, kind: XKind): string {
  const steps = !bucket || bucket.stepMin === step ? `step ${stepNumber(step)}` : `steps ${stepNumber(bucket.stepMin)}–${stepNumber(step)}`;
  if (kind === "step") return steps;
  const x = track.x[row] as number;
  if (kind === "time") return `${formatTime(new Date(timeMs).toISOString())}, ${steps}`;
  return `${x < 0 ? "before its start" : formatDuration(x)}, ${steps}`;
}

function stepNumber(step: number): string {
  return Number.isInteger(step) && Math.abs(step) < 1e15 && step >= 0 ? formatCount(step) : formatNumber(step, 6);
}
