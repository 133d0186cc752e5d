/** How often something changed that may concern a page, slowly: where runs train, something changes four times a second. */

import { live } from "../../api/live.ts";

const SLOWLY_MS = 2000;

export class SlowChanges {
  /** Grows some while after a change; read it in an effect. */
  count = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heard = -1;

  /** What ends it. */
  start(): () => void {
    const end = live.subscribe((state) => {
      const first = this.#heard < 0 || this.#heard === state.changeNumber || state.changeNumber === 0;
      this.#heard = state.changeNumber;
      if (first || this.#timer !== undefined) return;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.count += 1;
      }, SLOWLY_MS);
    });
    return () => {
      clearTimeout(this.#timer);
      end();
    };
  }
}
