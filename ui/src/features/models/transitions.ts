/** What happened to stages and aliases, in words. */

import type { Transition } from "../../api/shapes.ts";

/** Without the version, which is said beside it. */
export function whatHappened(one: Transition): string {
  if (one.kind === "stage") return one.before === null || one.before === "none" ? `to ${one.after ?? "none"}` : `from ${one.before} to ${one.after ?? "none"}`;
  if (one.after === null) return `@${one.alias ?? ""} taken away`;
  return one.before === null ? `is @${one.alias ?? ""}` : `is @${one.alias ?? ""}, which was v${one.before}`;
}

/** The version that it is about; null where an alias came to mean none. */
export function versionOf(one: Transition): number | null {
  return one.version ?? (one.kind === "alias" && one.before !== null ? Number(one.before) : null);
}
