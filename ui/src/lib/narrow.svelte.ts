/** Whether the window is as narrow as a phone's or an upright tablet's: pages then show one thing at a time. The CSS says the same width. */

const QUERY = "(max-width: 799px)";

class Narrow {
  #media: MediaQueryList | null = typeof matchMedia === "function" ? matchMedia(QUERY) : null;
  #matches = $state(this.#media?.matches ?? false);

  constructor() {
    this.#media?.addEventListener("change", (event) => (this.#matches = event.matches));
  }

  get current(): boolean {
    return this.#matches;
  }
}

export const narrow = new Narrow();
