/** What one does to several runs at once. */

import { errorText, patch, post } from "../../api/client.ts";
import { formatCount } from "../../lib/format.ts";
import { toasts } from "../../kit/toasts.svelte.ts";

export function runsText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "run" : "runs"}`;
}

/** True if it was done; otherwise a toast has said why not. */
async function act(path: string, body: unknown): Promise<boolean> {
  try {
    await post(path, body);
    return true;
  } catch (error) {
    toasts.problem(errorText(error));
    return false;
  }
}

export async function archiveRuns(runIds: readonly string[], done: () => void): Promise<void> {
  if (!(await act("/runs/delete", { run_ids: runIds }))) return;
  toasts.show(`${runsText(runIds.length)} archived`, { action: { label: "Undo", run: () => void restoreRuns(runIds, done) } });
  done();
}

export async function restoreRuns(runIds: readonly string[], done: () => void): Promise<void> {
  if (!(await act("/runs/restore", { run_ids: runIds }))) return;
  toasts.show(`${runsText(runIds.length)} restored`);
  done();
}

export async function tagRuns(runIds: readonly string[], tags: Record<string, string | null>, done: () => void): Promise<boolean> {
  if (!(await act("/runs/tags", { run_ids: runIds, tags }))) return false;
  toasts.show(`${runsText(runIds.length)} tagged`);
  done();
  return true;
}

export async function renameRun(runId: string, name: string, done: () => void): Promise<boolean> {
  try {
    await patch(`/runs/${encodeURIComponent(runId)}`, { name });
  } catch (error) {
    toasts.problem(errorText(error));
    return false;
  }
  done();
  return true;
}
