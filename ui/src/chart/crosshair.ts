/** The x under the pointer, shared by all charts of a panel without going through the framework: it changes with every frame. */

export interface CrosshairAt {
  x: number;
  /** The chart that the pointer is in. */
  source: string;
}

type Listener = (at: CrosshairAt | null) => void;

export class Crosshair {
  #listeners = new Set<Listener>();
  at: CrosshairAt | null = null;

  set(at: CrosshairAt | null): void {
    this.at = at;
    for (const listener of this.#listeners) listener(at);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
