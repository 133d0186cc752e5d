/** Tells elements when they come into sight or near it, and when they leave. */

const NEAR_PX = 300;

export class InView {
  readonly #callbacks = new WeakMap<Element, (isInView: boolean) => void>();
  readonly #observer: IntersectionObserver;

  constructor(element: Element) {
    this.#observer = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) this.#callbacks.get(entry.target)?.(entry.isIntersecting);
      },
      { root: scrollParent(element), rootMargin: `${NEAR_PX}px 0px` },
    );
  }

  observe(element: Element, callback: (isInView: boolean) => void): () => void {
    this.#callbacks.set(element, callback);
    this.#observer.observe(element);
    return () => {
      this.#observer.unobserve(element);
      this.#callbacks.delete(element);
    };
  }

  close(): void {
    this.#observer.disconnect();
  }
}

/** What scrolls the element: a margin around the window would not reach into it. */
function scrollParent(element: Element): Element | null {
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    const { overflowY } = getComputedStyle(parent);
    if (overflowY === "auto" || overflowY === "scroll") return parent;
  }
  return null;
}
