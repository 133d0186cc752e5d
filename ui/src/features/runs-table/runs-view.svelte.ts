/** What somebody looks at on the runs page: all of it is in the address, so that it can be sent and gone back to. */

import { narrow } from "../../lib/narrow.svelte.ts";
import { view, type HistoryMode } from "../../lib/url-state.svelte.ts";
import { columnsOf } from "./columns.ts";
import { parseSorts, sortTexts, type Sort } from "./sorting.ts";

export class RunsView {
  filter = $derived(view.text("q"));
  sorts: readonly Sort[] = $derived(parseSorts(view.list("sort")));
  archived = $derived(view.flag("archived"));
  groupBy = $derived(columnsOf(view.list("group")));
  /** null: nobody has chosen, the columns follow the runs. */
  columnIds = $derived(view.has("cols") ? view.list("cols") : null);
  pinned = $derived(view.list("pin"));
  /** Where there is room for one thing only, that is the table, until the charts are asked for. */
  showsCharts = $derived(view.flag("panel", !narrow.current));

  get isGrouped(): boolean {
    return this.groupBy.length > 0;
  }

  setFilter(filter: string, mode: HistoryMode = "push"): void {
    view.set({ q: filter }, mode);
  }

  setSorts(sorts: readonly Sort[]): void {
    view.set({ sort: sortTexts(sorts) });
  }

  setGroupBy(ids: readonly string[]): void {
    view.set({ group: ids, sort: null });
  }

  setArchived(archived: boolean): void {
    view.set({ archived: archived ? true : null });
  }

  /** An empty list is a choice too. */
  setColumns(ids: readonly string[] | null): void {
    view.set({ cols: ids === null ? null : ids.length > 0 ? ids : ["none"] }, "replace");
  }

  togglePin(id: string): void {
    view.set({ pin: this.pinned.includes(id) ? this.pinned.filter((one) => one !== id) : [...this.pinned, id] }, "replace");
  }

  setCharts(shown: boolean): void {
    view.set({ panel: shown === !narrow.current ? null : shown }, "replace");
  }

  /** The runs of one group, as a filter. */
  narrow(filter: string): void {
    view.set({ group: null, sort: null, q: filter });
  }
}
