// What a reader must know before believing a run's numbers, in words for those who did not write Lineal.

import { formatCount } from "../../lib/format.ts";

const LOSSES: Readonly<Record<string, readonly [one: string, many: string]>> = {
  after_finish: ["call was dropped: it came after finish()", "calls were dropped: they came after finish()"],
  artifact_not_kept: ["artifact could not be kept", "artifacts could not be kept"],
  bad_name: ["value was dropped: its metric name cannot be used", "values were dropped: their metric names cannot be used"],
  console_target: ["byte of output could not be written to where it goes", "bytes of output could not be written to where it goes"],
  damaged: ["record was damaged on disk", "records were damaged on disk"],
  disk_refuses: ["record was dropped: the disk refused to take it (full, or not writable)", "records were dropped: the disk refused to take them (full, or not writable)"],
  internal_fault: ["record was dropped by a fault of Lineal itself", "records were dropped by a fault of Lineal itself"],
  locked: ["record was dropped: the run was locked", "records were dropped: the run was locked"],
  name_over_limit: ["value was dropped: over the limit of names", "values were dropped: over the limit of names"],
  not_a_mapping: ["call of log() was dropped: it had no dictionary", "calls of log() were dropped: they had no dictionary"],
  not_a_number: ["value was dropped: it is not a number", "values were dropped: they are not numbers"],
  param_refused: ["param was dropped: its name or value is over the limit", "params were dropped: their names or values are over the limit"],
  torn: ["record was half written when the process died", "records were half written when the process died"],
};

export function lossText(reason: string, count: number): string {
  const known = Object.hasOwn(LOSSES, reason) ? LOSSES[reason] : undefined;
  const amount = formatCount(count);
  if (known !== undefined) return `${amount} ${known[count === 1 ? 0 : 1]}`;
  return `${amount} ${count === 1 ? "record was" : "records were"} dropped: ${reason}`;
}

export type Status = "running" | "finished" | "failed" | "killed" | "lost";

const STATUS_TEXT: Readonly<Record<Status, string>> = {
  running: "Its process is alive and writing.",
  finished: "It ended as it should.",
  failed: "It ended with an error.",
  killed: "It was stopped from outside: Ctrl-C, or a signal.",
  lost: "Its process died without a word: killed hard, out of memory, or the machine went down. Everything logged before that is here.",
};

export function statusText(status: string): string {
  return Object.hasOwn(STATUS_TEXT, status) ? STATUS_TEXT[status as Status] : `Status ${status}.`;
}

export interface Traceback {
  /** The last line, which says what went wrong. */
  readonly headline: string;
  readonly text: string;
  readonly lineCount: number;
}

/** The headline of a Python traceback is its last line that is not indented; notes and chained causes may follow or precede. */
export function readTraceback(error: string): Traceback {
  const text = error.replace(/\s+$/, "");
  const lines = text.split("\n");
  const last = lines.findLast((line) => /^[A-Za-z_][\w.]*(: |:?$)/.test(line) && !/^Traceback \(/.test(line));
  const headline = last ?? lines.findLast((line) => line.trim() !== "") ?? "";
  return { headline: headline.length > 300 ? `${headline.slice(0, 299)}…` : headline, text, lineCount: lines.length };
}
