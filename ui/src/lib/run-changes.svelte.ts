/** Which run changed when, as far as this page has heard: what charts need to know what to fetch again. */

import { untrack } from "svelte";
import { live } from "../api/live.ts";
import { ANY_RUN } from "../chart/panel-state.ts";

const MAX_KEPT = 5000;

class RunChanges {
  /** Of the newest change heard of. */
  changeNumber = $state(0);
  /** Run id to the change number of its last change. */
  byRun = $state.raw<ReadonlyMap<string, number>>(new Map());

  /** Fit for $effect: it tells of the last change at once, and what that reads and sets must not make the effect run again. */
  follow(): () => void {
    return untrack(() => this.#follow());
  }

  #follow(): () => void {
    return live.subscribe(({ changeNumber, runIds, isComplete }) => {
      if (runIds.length > 0 || !isComplete) {
        const next = new Map(this.byRun);
        for (const id of isComplete ? runIds : [...runIds, ANY_RUN]) {
          next.delete(id);
          next.set(id, changeNumber);
        }
        for (const id of next.keys()) {
          if (next.size <= MAX_KEPT) break;
          next.delete(id);
        }
        this.byRun = next;
      }
      this.changeNumber = changeNumber;
    });
  }
}

export const runChanges = new RunChanges();
