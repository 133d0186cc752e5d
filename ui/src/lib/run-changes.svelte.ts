/** Which run changed when, as far as this page has heard: what charts need to know what to fetch again. */

import { live } from "../api/live.ts";

const MAX_KEPT = 5000;

class RunChanges {
  /** Of the newest change heard of. */
  changeNumber = $state(0);
  /** Run id to the change number of its last change. */
  byRun = $state.raw<ReadonlyMap<string, number>>(new Map());

  /** Fit for $effect. */
  follow(): () => void {
    return live.subscribe(({ changeNumber, runIds }) => {
      if (runIds.length > 0) {
        const next = new Map(this.byRun);
        for (const id of runIds) {
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
