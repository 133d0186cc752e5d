/** The view's state lives in the query string: what one sees can be sent to somebody, and back and forward work. */

import { withoutBase } from "./base.ts";
import { decodeList, encodeQuery } from "./routes.ts";

export type UrlValue = string | number | boolean | readonly string[] | null;
/** "push" makes a step that Back undoes; "replace" is for what changes continually (typing, dragging). */
export type HistoryMode = "push" | "replace";

class View {
  #path = $state(location.pathname);
  #search = $state(location.search);
  #params = $derived(new URLSearchParams(this.#search));

  constructor() {
    addEventListener("popstate", () => this.#read());
  }

  get path(): string {
    return this.#path;
  }

  get search(): string {
    return this.#search;
  }

  text(name: string, fallback = ""): string {
    return this.#params.get(name) ?? fallback;
  }

  number(name: string, fallback: number): number {
    const text = this.#params.get(name);
    const value = text === null || text === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : fallback;
  }

  flag(name: string, fallback = false): boolean {
    const text = this.#params.get(name);
    return text === null ? fallback : text === "1" || text === "true";
  }

  list(name: string): string[] {
    return decodeList(this.#params.get(name));
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** Set some parameters and keep the others; null or "" removes one. */
  set(changes: Record<string, UrlValue>, mode: HistoryMode = "push"): void {
    const next = new Map<string, string | readonly string[]>(new URLSearchParams(location.search));
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) next.delete(name);
      else if (typeof value === "boolean") next.set(name, value ? "1" : "0");
      else next.set(name, typeof value === "number" ? String(value) : value);
    }
    this.go(location.pathname + encodeQuery(Object.fromEntries(next)), mode);
  }

  /** Another page, or the same one with another query. */
  go(href: string, mode: HistoryMode = "push"): void {
    const url = new URL(href, location.href);
    if (url.pathname === location.pathname && url.search === location.search) return;
    history[mode === "push" ? "pushState" : "replaceState"](mode === "replace" ? history.state : null, "", url);
    this.#read();
  }

  #read(): void {
    this.#path = location.pathname;
    this.#search = location.search;
  }
}

export const view = new View();

/** A plain click on a link within the page stays within it. For the root element's onclick. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^(\/t\/[^/]+)?\/api\//.test(withoutBase(link.pathname))) return;
  event.preventDefault();
  view.go(link.href);
}
