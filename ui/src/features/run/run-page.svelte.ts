/** What the run page knows: the run, read again as it changes, and the ways to change it. */

import { untrack } from "svelte";
import { ApiError, get, isAbort, patch, post } from "../../api/client.ts";
import { live } from "../../api/live.ts";
import type { CaptureList, ModelVersion, RunDetail, VersionsPage } from "../../api/shapes.ts";
import { NO_CAPTURES, readCaptures, type CaptureRow, type Captures } from "../captures/captures.ts";
import { loadMarkdown } from "./markdown-loader.ts";

export interface Edit {
  name?: string;
  note?: string;
  tags?: Record<string, string | null>;
}

/** A run that logs a thousand times a second is read again this often at most. */
const REFRESH_GAP_MS = 700;
/** What it recorded by itself hardly changes: read again this often at most, and when its status changes. */
const CAPTURES_GAP_MS = 10_000;

export class RunPageData {
  detail = $state.raw<RunDetail | null>(null);
  /** Why there is nothing to show. */
  problem = $state.raw<ApiError | Error | null>(null);
  /** What it made of registered models: read with the run, once, and again where somebody comes back to the page. */
  versions = $state.raw<readonly ModelVersion[]>([]);
  /** What it recorded by itself; read with the run. */
  captures = $state.raw<Captures>(NO_CAPTURES);
  /** The same of all attempts, the latest first. */
  captureRows = $state.raw<readonly CaptureRow[]>([]);
  /** Of the newest change that touched this run, for the charts. */
  changeNumber = $state(0);
  readonly runId: string;

  #loading = false;
  #isStale = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #aborter = new AbortController();
  #wasConnected = false;
  #refreshedAt = 0;
  #capturesAt = -Infinity;
  #capturesStatus = "";

  constructor(runId: string) {
    this.runId = runId;
  }

  /** Fit for $effect: the answer ends it. What it reads at once must not make the effect run again. */
  start(): () => void {
    return untrack(() => this.#start());
  }

  #start(): () => void {
    void this.load();
    const unsubscribe = live.subscribe((state) => {
      const isMine = !state.isComplete || state.runIds.includes(this.detail?.run_id ?? this.runId);
      if (isMine && state.changeNumber > this.changeNumber) {
        this.changeNumber = state.changeNumber;
        this.#refreshSoon();
      } else if (state.connected && !this.#wasConnected && this.detail !== null) {
        this.#refreshSoon(); // whatever happened while nobody listened
      }
      this.#wasConnected = state.connected;
    });
    return () => {
      unsubscribe();
      clearTimeout(this.#timer);
      this.#aborter.abort();
    };
  }

  async load(): Promise<void> {
    if (this.#loading) {
      this.#isStale = true;
      return;
    }
    this.#loading = true;
    this.#isStale = false;
    try {
      const options = { signal: this.#aborter.signal };
      const isFirst = this.detail === null;
      const [detail, made, captures] = await Promise.all([
        get<RunDetail>(runPath(this.runId), {}, options),
        isFirst ? get<VersionsPage>("/model-versions/find", { run_id: this.runId }, options).catch(() => null) : null,
        isFirst ? this.#readCaptures() : null,
      ]);
      // What draws a note comes with the first one, so that the note does not change its height before one's eyes.
      if (detail.note !== "") await loadMarkdown();
      if (this.#aborter.signal.aborted) return;
      if (made !== null) this.versions = made.versions;
      if (captures !== null) this.#take(captures);
      this.detail = this.detail === null ? detail : keepSame(this.detail, detail);
      this.problem = null;
      if (this.#capturesStatus === "") this.#capturesStatus = detail.status;
      else if (detail.status !== this.#capturesStatus || (detail.status === "running" && performance.now() - this.#capturesAt > CAPTURES_GAP_MS)) {
        this.#capturesStatus = detail.status;
        const again = await this.#readCaptures();
        if (again !== null) this.#take(again);
      }
    } catch (error) {
      if (isAbort(error)) return;
      // What is on show stays: the top bar says that the server is away.
      if (this.detail === null || (error instanceof ApiError && error.status === 404)) this.problem = error as Error;
    } finally {
      this.#loading = false;
    }
    if (this.#isStale) this.#refreshSoon();
  }

  /** null where they cannot be read: the rest of the page is worth seeing all the same. */
  async #readCaptures(): Promise<readonly CaptureRow[] | null> {
    this.#capturesAt = performance.now();
    return get<CaptureList>(`${runPath(this.detail?.run_id ?? this.runId)}/captures`, {}, { signal: this.#aborter.signal }).then(
      (answer) => answer.captures,
      () => null,
    );
  }

  #take(rows: readonly CaptureRow[]): void {
    if (JSON.stringify(rows) !== JSON.stringify(this.captureRows)) this.captureRows = rows;
    this.captures = keepSame(this.captures, readCaptures(rows));
  }

  #refreshSoon(): void {
    if (this.#timer !== undefined) return;
    // The first change is shown at once; those that follow it soon, together.
    const wait = Math.max(0, this.#refreshedAt + REFRESH_GAP_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refreshedAt = performance.now();
      void this.load();
    }, wait);
  }

  /** Throws what the server refuses. */
  async edit(changes: Edit): Promise<void> {
    const detail = await patch<RunDetail>(runPath(this.detail?.run_id ?? this.runId), changes);
    this.detail = this.detail === null ? detail : keepSame(this.detail, detail);
  }

  /** Asks its program to end. Throws what the server refuses. */
  async stop(): Promise<void> {
    await post(`${runPath(this.detail?.run_id ?? this.runId)}/stop`, {});
    await this.load();
  }

  async setArchived(isArchived: boolean): Promise<void> {
    const runId = this.detail?.run_id ?? this.runId;
    await post(isArchived ? "/runs/delete" : "/runs/restore", { run_ids: [runId] });
    if (this.detail !== null) this.detail = { ...this.detail, lifecycle_stage: isArchived ? "deleted" : "active" };
    void this.load();
  }
}

/** The new values, and where one is as it was, the old object itself: what is drawn from it is not drawn again. */
export function keepSame<T extends object>(before: T, now: T): T {
  const kept = { ...now };
  for (const key of Object.keys(now) as (keyof T)[]) {
    const [old, value] = [before[key], now[key]];
    if (typeof value === "object" && value !== null && JSON.stringify(old) === JSON.stringify(value)) kept[key] = old;
  }
  return kept;
}

export function runPath(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

