/** The columns of the table as they stand: chosen or automatic, pinned ones first, and how they are changed. */

import { untrack } from "svelte";
import type { MenuItem } from "../../kit/Menu.svelte";
import { narrow } from "../../lib/narrow.svelte.ts";
import { autoColumns, numbersFirst } from "./auto-columns.ts";
import { columnOf, columnsOf, fitted, MIN_WIDTH, type Column } from "./columns.ts";
import { layout } from "./layout.svelte.ts";
import type { RowWindows } from "./row-windows.svelte.ts";
import type { RunsView } from "./runs-view.svelte.ts";
import { setSort } from "./sorting.ts";

const BEFORE_DATA: readonly string[] = [];
const NAME = columnOf("name") as Column;

export class RunsColumns {
  #view: RunsView;
  #rows: RowWindows;
  /** Which params stand right. */
  #sides = new Map<string, boolean>();
  #automatic = $state.raw<{ scope: string; ids: string[]; telling: boolean } | null>(null);

  /** Within a component's setup: it follows the rows by an effect. */
  constructor(view: RunsView, rows: RowWindows, experimentId: () => string | null) {
    this.#view = view;
    this.#rows = rows;
    $effect(() => {
      if (rows.total === null || rows.loading) return;
      // The first rows of an experiment decide; a filter or new runs must not make columns jump.
      const scope = `${experimentId() ?? ""} ${view.archived}`;
      const known = untrack(() => this.#automatic);
      if (known?.scope === scope && (known.telling || rows.first.length === 0)) return;
      const many = experimentId() === null && new Set(rows.first.map((row) => row.experiment_id)).size > 1;
      const telling = rows.first.some((row) => Object.keys(row.metrics).length > 0);
      this.#automatic = { scope, ids: autoColumns(rows.first, many), telling };
    });
  }

  ids: readonly string[] = $derived.by(() => {
    const ids = this.#automatic?.ids ?? BEFORE_DATA;
    return this.#view.columnIds ?? (narrow.current ? numbersFirst(ids) : ids);
  });

  list: Column[] = $derived.by(() => {
    // Before the first rows only the name is drawn: what comes later must not move what was there.
    if (this.#rows.total === null) return fitted([NAME], [], this.#view.groupBy, this.#sides);
    const { pinned } = this.#view;
    const rest = columnsOf(this.ids.filter((id) => id !== "name"));
    const ordered = [NAME, ...rest.filter((one) => pinned.includes(one.id)), ...rest.filter((one) => !pinned.includes(one.id))];
    return fitted(ordered, this.#rows.first, this.#view.groupBy, this.#sides);
  });

  /** On a phone pinned columns would leave no room to scroll the others in. */
  pinnedCount = $derived.by(() => narrow.current ? 1 : 1 + this.list.filter((one) => this.#view.pinned.includes(one.id)).length);

  metricIds = $derived.by(() => this.list.filter((one) => one.kind === "metric").map((one) => one.id));

  /** null: to the end. */
  move(id: string, before: string | null): void {
    const ids = this.#movable().filter((one) => one !== id);
    const place = before === null ? ids.length : Math.max(0, ids.indexOf(before));
    this.#view.setColumns(ids.toSpliced(place, 0, id));
  }

  menuOf(column: Column): MenuItem[] {
    const ids = this.#movable();
    const place = ids.indexOf(column.id);
    const width = layout.widths[column.id] ?? column.width;
    const view = this.#view;
    const isPinned = view.pinned.includes(column.id);
    return [
      { label: "Sort ascending", icon: "arrowUp", run: () => view.setSorts(setSort(column.id, false)) },
      { label: "Sort descending", icon: "arrowDown", run: () => view.setSorts(setSort(column.id, true)) },
      ...(column.id === "name"
        ? []
        : [
            { label: isPinned ? "Unpin" : "Pin to the left", icon: "pin" as const, separated: true, run: () => view.togglePin(column.id) },
            { label: "Move left", icon: "chevronLeft" as const, disabled: place <= 0, run: () => this.move(column.id, ids[place - 1] ?? null) },
            { label: "Move right", icon: "chevronRight" as const, disabled: place === ids.length - 1, run: () => this.move(column.id, ids[place + 2] ?? null) },
            { label: "Hide", icon: "close" as const, run: () => view.setColumns(ids.filter((one) => one !== column.id)) },
          ]),
      { label: "Wider", separated: true, run: () => layout.setWidth(column.id, width * 1.25) },
      { label: "Narrower", run: () => layout.setWidth(column.id, Math.max(MIN_WIDTH, width * 0.8)) },
      ...(column.kind === "param" || column.kind === "tag"
        ? [{ label: "Group by this", icon: "group" as const, separated: true, run: () => view.setGroupBy([column.id]) }]
        : []),
    ];
  }

  #movable(): string[] {
    return this.list.slice(1).map((one) => one.id);
  }
}
