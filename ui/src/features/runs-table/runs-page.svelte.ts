/** The runs page without its looks: what is asked, what is selected, what happens when runs change. */

import { untrack } from "svelte";
import { errorText } from "../../api/client.ts";
import { experiments } from "../../api/experiments.svelte.ts";
import { live } from "../../api/live.ts";
import type { RunGroup, RunRow } from "../../api/shapes.ts";
import { toasts } from "../../kit/toasts.svelte.ts";
import { to } from "../../lib/routes.ts";
import { runChanges } from "../../lib/run-changes.svelte.ts";
import { ChildCounts } from "./child-counts.svelte.ts";
import { Charted } from "./charted.svelte.ts";
import { allRows, EXPORT_MAX, saveCsv } from "./export-csv.ts";
import { groupFilter } from "./group-filter.ts";
import { GroupRows, type GroupQuery, type Item } from "./group-rows.svelte.ts";
import { RowWindows, type RowQuery } from "./row-windows.svelte.ts";
import { archiveRuns, restoreRuns, runsText } from "./run-actions.ts";
import { RunsColumns } from "./runs-columns.svelte.ts";
import { RunsView } from "./runs-view.svelte.ts";
import { MAX_SELECTED, rangeBetween, Selection } from "./selection.svelte.ts";
import { sortTexts } from "./sorting.ts";

const COMPARED_MAX = 10;
const SKELETON_ROWS = 20;

const items = new WeakMap<RunRow, Item>();

/** The same row is the same item: nothing is drawn again for it. */
function itemOf(row: RunRow): Item {
  let item = items.get(row);
  if (!item) items.set(row, (item = { kind: "run", row, depth: 0 }));
  return item;
}

export class RunsPageState {
  readonly view = new RunsView();
  readonly rows = new RowWindows();
  readonly groups = new GroupRows();
  readonly selection = new Selection();
  readonly children = new ChildCounts();
  readonly columns: RunsColumns;
  readonly charted: Charted;
  #experimentId: () => string | null;
  /** Said by the table. */
  isTop = true;
  #anchor = -1;

  /** Within a component's setup: it lives as long as the component. */
  constructor(experimentId: () => string | null) {
    this.#experimentId = experimentId;
    this.columns = new RunsColumns(this.view, this.rows, experimentId);
    this.charted = new Charted(this.view, this.rows, this.groups, this.selection);
    this.rows.followsTop = () => this.isTop && this.view.sorts.length === 0;

    void experiments.load();
    // The experiments are told anew while runs arrive: only another question is asked again.
    $effect(() => {
      if (this.#asked !== null) this.rows.open(JSON.parse(this.#asked) as RowQuery);
    });
    $effect(() => {
      if (this.#groupsAsked !== null) void this.groups.load(JSON.parse(this.#groupsAsked) as GroupQuery);
    });
    $effect(() => {
      const first = this.rows.first;
      const controller = new AbortController();
      void this.selection.ids;
      untrack(() => {
        this.selection.learn(first);
        void this.selection.complete(controller.signal);
      });
      return () => controller.abort();
    });
    $effect(() => {
      for (const rows of this.rows.windows.values()) this.children.learn(rows);
    });
    $effect(() => this.#follow());
    $effect(() => runChanges.follow());
    $effect(() => () => {
      this.rows.close();
      this.groups.close();
      this.children.close();
    });
  }

  // ---- what is asked

  experiment = $derived.by(() => {
    const id = this.#experimentId();
    return id === null ? undefined : experiments.find(id);
  });

  isUnknownExperiment = $derived.by(() => this.#experimentId() !== null && experiments.list !== null && this.experiment === undefined);

  title = $derived.by(() => {
    if (this.#experimentId() === null) return "All runs";
    return this.experiment?.name ?? (this.isUnknownExperiment ? "Unknown experiment" : "");
  });

  query = $derived.by((): RowQuery | null => {
    if (this.#experimentId() !== null && this.experiment === undefined) return null;
    const { filter, sorts, archived, isGrouped } = this.view;
    return { filter, order: isGrouped ? [] : sortTexts(sorts), experiment: this.experiment?.name ?? null, archived };
  });

  #asked = $derived.by(() => (this.query === null ? null : JSON.stringify(this.query)));

  #groupsAsked = $derived.by(() => {
    if (this.query === null || !this.view.isGrouped) return null;
    return JSON.stringify({ ...this.query, by: this.view.groupBy.map((one) => one.id), metrics: this.columns.metricIds });
  });

  // ---- what is shown

  #items = $derived.by(() => (this.view.isGrouped ? this.groups.items(this.view.sorts) : null));

  count = $derived.by(() => {
    const waits = this.rows.total === null || (this.view.isGrouped && this.groups.groups === null);
    return waits ? SKELETON_ROWS : (this.#items?.length ?? this.rows.total ?? 0);
  });

  isEmpty = $derived.by(() => this.rows.total === 0 && !this.rows.loading);

  failure = $derived.by(() => (this.rows.error !== null && this.rows.error.field !== "filter" ? this.rows.error : this.view.isGrouped ? this.groups.error : null));

  at(index: number): Item | undefined {
    if (this.#items) return this.#items[index];
    const row = this.rows.at(index);
    return row && itemOf(row);
  }

  narrowTo(group: RunGroup): void {
    this.view.narrow(groupFilter(this.view.filter, this.view.groupBy, group.values));
  }

  // ---- the selection

  allSelected: boolean | "some" = $derived.by(() => {
    const { size } = this.selection;
    if (size === 0) return false;
    return this.rows.total !== null && size >= Math.min(this.rows.total, MAX_SELECTED) ? true : "some";
  });

  compareHref = $derived.by(() => {
    const { size, ids } = this.selection;
    return size >= 2 && size <= COMPARED_MAX ? to.compare(ids) : null;
  });

  /** Of the row at `index`, or with `range` of all since the one before. */
  select(index: number, range: boolean): void {
    const item = this.at(index);
    if (item?.kind !== "run") return;
    if (range && this.#anchor >= 0) {
      const between = rangeBetween(this.#anchor, index)
        .map((one) => this.at(one))
        .flatMap((one) => (one?.kind === "run" ? [one.row] : []));
      this.selection.add(between, !this.selection.has(item.row.run_id));
    } else this.selection.toggle(item.row);
    this.#anchor = index;
  }

  async selectAll(): Promise<void> {
    if (this.selection.size > 0) return this.selection.clear();
    if (this.query === null) return;
    try {
      const { rows, total } = await allRows(this.query, MAX_SELECTED);
      this.selection.add(rows, true);
      if (total > MAX_SELECTED) toasts.show(`The first ${MAX_SELECTED} of ${runsText(total)} are selected: the most that can be at once.`);
    } catch (error) {
      toasts.problem(errorText(error));
    }
  }

  archiveSelected(): Promise<void> {
    return archiveRuns(this.selection.ids, () => this.#changedByHand());
  }

  restoreSelected(): Promise<void> {
    return restoreRuns(this.selection.ids, () => this.#changedByHand());
  }

  #changedByHand(): void {
    this.selection.clear();
    void this.rows.refresh();
    void experiments.load();
    this.groups.changed();
  }

  // ---- as a file

  async exportAll(): Promise<void> {
    if (this.query === null) return;
    try {
      const { rows, total } = await allRows(this.query, EXPORT_MAX);
      saveCsv(rows, this.columns.list, this.title);
      toasts.show(total > rows.length ? `The first ${runsText(rows.length)} of ${runsText(total)} are in the file` : `${runsText(rows.length)} exported`);
    } catch (error) {
      toasts.problem(errorText(error));
    }
  }

  async exportSelected(): Promise<void> {
    await this.selection.complete(new AbortController().signal);
    saveCsv(this.selection.rows, this.columns.list, this.title);
  }

  // ---- live

  #follow(): () => void {
    return live.subscribe(({ runIds, isComplete }) => {
      if (runIds.length === 0 && isComplete) return;
      untrack(() => {
        this.rows.changed(runIds, isComplete);
        void this.selection.renew(runIds, new AbortController().signal);
        this.groups.changed();
        experiments.changed();
      });
    });
  }
}
