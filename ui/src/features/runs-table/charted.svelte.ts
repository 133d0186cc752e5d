/** Which runs the charts show and in what colours: the selected ones, else the first of the table. */

import { untrack } from "svelte";
import type { RunRow } from "../../api/shapes.ts";
import { assignColors, colorAt } from "../../lib/colors.ts";
import { columnOf } from "./columns.ts";
import type { RowWindows } from "./row-windows.svelte.ts";
import { runsText } from "./run-actions.ts";
import type { RunsView } from "./runs-view.svelte.ts";
import type { Selection } from "./selection.svelte.ts";

export const CHARTED = 10;

export class Charted {
  #view: RunsView;
  #rows: RowWindows;
  #selection: Selection;
  #slots = $state.raw<ReadonlyMap<string, number>>(new Map());

  /** Within a component's setup. */
  constructor(view: RunsView, rows: RowWindows, selection: Selection) {
    this.#view = view;
    this.#rows = rows;
    this.#selection = selection;
    $effect.pre(() => {
      const ids = this.#ids === "" ? [] : this.#ids.split(",");
      this.#slots = assignColors(untrack(() => this.#slots), ids);
    });
  }

  #shown: readonly RunRow[] = $derived.by(() => (this.#selection.size > 0 ? this.#selection.rows : this.#rows.first.slice(0, CHARTED)));
  #ids = $derived.by(() => this.#shown.map((row) => row.run_id).join(","));

  runs = $derived.by(() => this.#shown.map((row) => ({ ...row, color: colorAt(this.#slots.get(row.run_id) ?? 0) })));

  title = $derived.by(() => {
    if (this.#selection.size > 0) return `${runsText(this.#selection.size)} selected`;
    const count = this.#shown.length;
    if (count === 0) return "Charts";
    const [sort] = this.#view.isGrouped ? [] : this.#view.sorts;
    const runs = count === 1 ? "run" : `${count} runs`;
    if (sort === undefined) return count === 1 ? "The newest run" : `The ${count} newest runs`;
    return `The first ${runs} by ${columnOf(sort.id)?.label ?? sort.id}`;
  });

  /** null: not on the charts. */
  colorOf(runId: string): string | null {
    const slot = this.#slots.get(runId);
    return slot === undefined ? null : colorAt(slot);
  }
}
