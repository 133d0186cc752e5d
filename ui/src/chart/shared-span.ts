/** An x range that all charts of a panel show, so that what happened at one time stands at one place. */

import { getContext, setContext } from "svelte";
import type { Interval } from "./domain.ts";

const KEY = Symbol("span");

export function shareSpan(span: () => Interval | null): void {
  setContext(KEY, span);
}

export function spanOf(): () => Interval | null {
  return getContext<(() => Interval | null) | undefined>(KEY) ?? (() => null);
}
