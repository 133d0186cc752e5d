/** What the compare page knows: its runs, read again as they change, and which is best in most metrics. */

import { SvelteMap } from "svelte/reactivity";
import { ApiError, get, isAbort, post } from "../../api/client.ts";
import { live } from "../../api/live.ts";
import type { Comparable, Comparison, Difference, RunDetail } from "../../api/shapes.ts";
import { runPath } from "../run/run-page.svelte.ts";
import type { BestValues } from "./compare-rows.ts";

export const RUNS_MAX_COUNT = 10;
const REFRESH_GAP_MS = 1000;

export class ComparePageData {
  readonly runs = new SvelteMap<string, RunDetail>();
  /** By run id: why it is not here. */
  readonly problems = new SvelteMap<string, ApiError | Error>();
  best = $state.raw<BestValues | null>(null);
  bestRun = $state<string | null>(null);
  /** Whether their numbers may be set against one another; undefined until that is known, so that the page waits for it. */
  comparable = $state.raw<Comparable | null | undefined>(undefined);
  /** In what they differ beyond their numbers; null until it is known. */
  difference = $state.raw<Difference | null>(null);
  changeNumber = $state(0);
  /** Run id to the number of its last change, for the charts. */
  changes = $state.raw<ReadonlyMap<string, number>>(new Map());

  #wanted: readonly string[] = [];
  #loading = new Set<string>();
  #stale = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #comparing: AbortController | null = null;
  #aborter = new AbortController();

  /** Fit for $effect: the answer ends it. */
  start(): () => void {
    const unsubscribe = live.subscribe((state) => {
      if (state.changeNumber <= this.changeNumber) return;
      const changed = this.#wanted.filter((id) => !state.isComplete || state.runIds.includes(id));
      if (changed.length === 0) return;
      this.changeNumber = state.changeNumber;
      this.changes = new Map([...this.changes, ...changed.map((id) => [id, state.changeNumber] as const)]);
      for (const id of changed) this.#stale.add(id);
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        const ids = [...this.#stale];
        this.#stale.clear();
        void this.#read(ids);
      }, REFRESH_GAP_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#aborter.abort();
      this.#comparing?.abort();
    };
  }

  /** The runs to show; those that are here are not read again. */
  want(runIds: readonly string[]): void {
    this.#wanted = runIds;
    if (this.#aborter.signal.aborted) this.#aborter = new AbortController();
    const missing = runIds.filter((id) => !this.runs.has(id) && !this.#loading.has(id));
    if (missing.length > 0) void this.#read(missing);
    else void this.#compare();
  }

  retry(runId: string): void {
    void this.#read([runId]);
  }

  async #read(runIds: readonly string[]): Promise<void> {
    const { signal } = this.#aborter;
    await Promise.all(
      runIds.map(async (id) => {
        this.#loading.add(id);
        try {
          this.runs.set(id, await get<RunDetail>(runPath(id), {}, { signal }));
          this.problems.delete(id);
        } catch (error) {
          if (!isAbort(error) && !this.runs.has(id)) this.problems.set(id, error as Error);
        } finally {
          this.#loading.delete(id);
        }
      }),
    );
    if (!signal.aborted) await this.#compare();
  }

  async #compare(): Promise<void> {
    this.#comparing?.abort();
    const aborter = (this.#comparing = new AbortController());
    const ids = this.#wanted.filter((id) => this.runs.has(id));
    if (ids.length < 2) {
      this.best = null;
      this.bestRun = null;
      this.difference = null;
      this.comparable = null;
      return;
    }
    const fair = post<Comparable>("/runs/comparable", { run_ids: ids }, { signal: aborter.signal }).then(
      (answer) => (this.comparable = answer),
      () => {
        if (!aborter.signal.aborted) this.comparable = null;
      },
    );
    // Curves and patches are read for it, so that the table does not wait.
    void post<Difference>("/runs/diff", { run_ids: ids }, { signal: aborter.signal }).then(
      (answer) => (this.difference = answer),
      () => {
        if (!aborter.signal.aborted) this.difference = null;
      },
    );
    try {
      const answer = await post<Comparison>("/experiments/runs/compare", { run_ids: ids }, { signal: aborter.signal });
      this.best = answer.comparison.metric_comparison;
      this.bestRun = answer.comparison.best_run;
    } catch {
      // The rows know the direction too.
      if (!aborter.signal.aborted) this.best = null;
    }
    await fair;
  }
}
