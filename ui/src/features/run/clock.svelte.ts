/** The time of day, for durations that grow and "3 min ago". Ticks only while somebody looks. */

import { createSubscriber } from "svelte/reactivity";

class Clock {
  #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  get nowMs(): number {
    this.#subscribe();
    return Date.now();
  }
}

export const clock = new Clock();
