/** The filter that leaves one group's runs. */

import type { ParamValue } from "../../api/shapes.ts";
import { quotedText } from "./row-windows.svelte.ts";

export function groupFilter(filter: string, by: readonly { id: string }[], values: readonly ParamValue[]): string {
  const parts = by.map(({ id }, at) => {
    const value = values[at] ?? null;
    if (value === null) return `${id} is null`;
    return typeof value === "number" ? `${id} = ${value}` : `${id} = ${quotedText(String(value))}`;
  });
  const before = filter.trim();
  return [...(before === "" ? [] : [/\bor\b/i.test(before) ? `(${before})` : before]), ...parts].join(" and ");
}
