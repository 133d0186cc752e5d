/** The experiments of the store, for the rail and for names in addresses. */

import { errorText, get, isAbort } from "./client.ts";
import type { Experiment, ExperimentList } from "./shapes.ts";

/** The server's largest page; beyond it the search of the rail asks the server. */
const LIMIT = 1000;
const RENEW_MS = 2000;

class Experiments {
  #list = $state.raw<readonly Experiment[] | null>(null);
  #total = $state(0);
  #error = $state<string | null>(null);
  #renewing = false;
  #loading: Promise<void> | null = null;

  /** null before the first answer. */
  get list(): readonly Experiment[] | null {
    return this.#list;
  }

  get total(): number {
    return this.#total;
  }

  get error(): string | null {
    return this.#error;
  }

  get runCount(): number {
    return (this.#list ?? []).reduce((sum, one) => sum + one.run_count, 0);
  }

  find(id: string): Experiment | undefined {
    return this.#list?.find((one) => one.id === id);
  }

  load(): Promise<void> {
    this.#loading ??= this.#ask().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Runs changed: the counts may have too. */
  changed(): void {
    if (this.#renewing) return;
    this.#renewing = true;
    setTimeout(() => {
      this.#renewing = false;
      void this.load();
    }, RENEW_MS);
  }

  /** Beyond the first page. */
  async search(text: string, signal: AbortSignal): Promise<readonly Experiment[]> {
    return (await get<ExperimentList>("/experiments", { search: text, limit: LIMIT }, { signal })).experiments;
  }

  async #ask(): Promise<void> {
    try {
      const answer = await get<ExperimentList>("/experiments", { limit: LIMIT });
      this.#list = answer.experiments;
      this.#total = answer.total;
      this.#error = null;
    } catch (error) {
      if (!isAbort(error)) this.#error = errorText(error);
    }
  }
}

export const experiments = new Experiments();
