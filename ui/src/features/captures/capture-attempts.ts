/** What each attempt of a run recorded, where there are several: a resumed run may have run other code. */

import { readCaptures, type CaptureRow, type Captures, type Code, type FileRef } from "./captures.ts";

export interface CapturedAttempt {
  attemptId: string;
  /** From 1, in the order in which they began. */
  number: number;
  isLatest: boolean;
  captures: Captures;
}

/** Those that recorded something of how they ran, the first one first. Ranks above 0 say only what they used, and are none. */
export function capturedAttempts(rows: readonly CaptureRow[], attemptIds: readonly string[]): CapturedAttempt[] {
  const found = attemptIds.flatMap((attemptId, index) => {
    const own = rows.filter((row) => row.attempt_id === attemptId);
    return own.some((row) => row.part.split(".")[0] !== "resources") ? [{ attemptId, number: index + 1, captures: readCaptures(own) }] : [];
  });
  return found.map((one, index) => ({ ...one, isLatest: index === found.length - 1 }));
}

/** In what they do not agree, in words; what one of them did not record is not known to differ. */
export function disagreements(attempts: readonly CapturedAttempt[]): string[] {
  const of: Record<string, (captures: Captures) => unknown> = {
    code: ({ code }) => code && (code.digest ?? code.commit),
    command: ({ execution }) => execution && execution.command.length > 0 && execution.command,
    packages: ({ environment }) => environment && [environment.pythonVersion, environment.packages],
    machine: ({ execution, hardware }) => hardware && [execution?.host, hardware],
  };
  return Object.entries(of).flatMap(([word, read]) => {
    const told = attempts.map(({ captures }) => read(captures)).filter((value) => value !== null && value !== false);
    return new Set(told.map((value) => JSON.stringify(value))).size > 1 ? [word] : [];
  });
}

/** A commit, or what was kept instead, in a few characters. */
export function codeText(code: Code): string {
  const text = code.commit?.slice(0, 10) ?? (code.kind === "notebook" ? "notebook cells" : "files kept");
  return code.isDirty ? `${text} with changes` : text;
}

/** Which version of its path a file is: another attempt may have kept another one there. */
export function fileQuery(file: FileRef, artifacts: readonly { path: string; digest?: string | null; version: number }[]): { version?: number } {
  const found = file.digest === null ? undefined : artifacts.find((one) => one.path === file.path && one.digest === file.digest);
  return found === undefined ? {} : { version: found.version };
}
