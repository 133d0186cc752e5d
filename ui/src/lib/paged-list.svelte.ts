/** A list that the server gives a page at a time: read again whole as something changes, continued when somebody asks. */

import { untrack } from "svelte";
import { errorText, get, isAbort, type QueryValue } from "../api/client.ts";

interface Page {
  next_page_token?: string | null;
}

const [PAGE, PAGE_MAX] = [100, 1000];

export class PagedList<Answer extends Page, Row> {
  /** null until the first answer. */
  rows = $state.raw<readonly Row[] | null>(null);
  problem = $state<string | null>(null);
  #next = $state<string | null>(null);
  #tries = $state(0);
  readonly #path: string;
  readonly #rowsOf: (answer: Answer) => readonly Row[];

  constructor(path: string, rowsOf: (answer: Answer) => readonly Row[]) {
    this.#path = path;
    this.#rowsOf = rowsOf;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Whoever reads it in an effect reads it once more. */
  again = (): void => {
    this.#tries += 1;
  };

  /** As many as are shown already, in an effect of its own: what comes back ends it. */
  read(query: Record<string, QueryValue>): () => void {
    void this.#tries;
    const aborter = new AbortController();
    const limit = Math.max(PAGE, Math.min(untrack(() => this.rows?.length ?? 0), PAGE_MAX));
    get<Answer>(this.#path, { ...query, limit }, { signal: aborter.signal }).then(
      (answer) => {
        this.rows = this.#rowsOf(answer);
        this.#next = answer.next_page_token ?? null;
        this.problem = null;
      },
      (error: unknown) => {
        if (!isAbort(error)) this.problem = errorText(error);
      },
    );
    return () => aborter.abort();
  }

  async more(query: Record<string, QueryValue>): Promise<void> {
    const token = this.#next;
    try {
      const answer = await get<Answer>(this.#path, { ...query, limit: PAGE, page_token: token });
      if (this.#next !== token) return; // it was read again meanwhile: another list's page
      this.rows = [...(this.rows ?? []), ...this.#rowsOf(answer)];
      this.#next = answer.next_page_token ?? null;
    } catch (error) {
      this.problem = errorText(error);
    }
  }
}
