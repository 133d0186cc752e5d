/** Which runs the charts show and in what colours: the selected ones, else those of the first groups, else the first of the table. */

import { untrack } from "svelte";
import { isAbort, post } from "../../api/client.ts";
import type { RunGroup, RunRow, RunSearchAnswer } from "../../api/shapes.ts";
import { assignColors, colorAt } from "../../lib/colors.ts";
import { columnOf } from "./columns.ts";
import { keyOf, type GroupRows } from "./group-rows.svelte.ts";
import { rowsById, type RowWindows, type Search } from "./row-windows.svelte.ts";
import { runsText } from "./run-actions.ts";
import type { RunsView } from "./runs-view.svelte.ts";
import type { Selection } from "./selection.svelte.ts";

export const CHARTED = 10;
/** Of groups: so many of the first, so many runs of each. */
export const GROUPS_CHARTED = 10;
export const RUNS_OF_GROUP = 10;

const searchRuns: Search = (body, signal) => post<RunSearchAnswer>("/runs/search", body, { signal });

export class Charted {
  #view: RunsView;
  #rows: RowWindows;
  #groups: GroupRows;
  #selection: Selection;
  #slots = $state.raw<ReadonlyMap<string, number>>(new Map());
  /** Of runs of groups, which the table need not have. */
  #known = $state.raw<ReadonlyMap<string, RunRow>>(new Map());

  /** Within a component's setup. */
  constructor(view: RunsView, rows: RowWindows, groups: GroupRows, selection: Selection) {
    this.#view = view;
    this.#rows = rows;
    this.#groups = groups;
    this.#selection = selection;
    $effect.pre(() => {
      const keys = JSON.parse(this.#keys) as string[];
      this.#slots = assignColors(untrack(() => this.#slots), keys);
    });
    $effect(() => {
      const ids = this.#first.flatMap(runsOf);
      if (ids.length === 0) return;
      const controller = new AbortController();
      rowsById(ids, searchRuns, controller.signal).then(
        (found) => (this.#known = new Map(found.map((row) => [row.run_id, row]))),
        (error: unknown) => {
          if (!isAbort(error)) this.#known = new Map(); // the table says what is wrong
        },
      );
      return () => controller.abort();
    });
  }

  /** The groups that are drawn: none while runs are selected. */
  #first: readonly RunGroup[] = $derived.by(() =>
    this.#view.isGrouped && this.#selection.size === 0 ? this.#groups.sorted(this.#view.sorts).slice(0, GROUPS_CHARTED) : [],
  );
  #shown: readonly RunRow[] = $derived.by(() => {
    if (this.#selection.size > 0) return this.#selection.rows;
    if (this.#view.isGrouped) return this.#first.flatMap(runsOf).flatMap((id) => this.#known.get(id) ?? []);
    return this.#rows.first.slice(0, CHARTED);
  });
  /** What has a colour of its own: a group, or a run. */
  #keyOf: ReadonlyMap<string, string> = $derived.by(() => new Map(this.#first.flatMap((group) => runsOf(group).map((id) => [id, keyOf(group)] as const))));
  #keys = $derived.by(() => JSON.stringify(this.#first.length > 0 ? this.#first.map(keyOf) : this.#shown.map((row) => row.run_id)));

  runs = $derived.by(() => this.#shown.map((row) => ({ ...row, color: this.colorOf(row.run_id) ?? colorAt(0) })));

  title = $derived.by(() => {
    if (this.#selection.size > 0) return `${runsText(this.#selection.size)} selected`;
    if (this.#first.length > 0) return this.#groupsTitle();
    const count = this.#shown.length;
    if (count === 0) return "Charts";
    const [sort] = this.#view.isGrouped ? [] : this.#view.sorts;
    const runs = count === 1 ? "run" : `${count} runs`;
    if (sort === undefined) return count === 1 ? "The newest run" : `The ${count} newest runs`;
    return `The first ${runs} by ${columnOf(sort.id)?.label ?? sort.id}`;
  });

  #groupsTitle(): string {
    const count = this.#first.length;
    const groups = count < this.#groups.total ? `The first ${count} groups` : count === 1 ? "The group" : `All ${count} groups`;
    return this.#first.some((group) => group.run_count > RUNS_OF_GROUP) ? `${groups}, the ${RUNS_OF_GROUP} newest runs of each` : groups;
  }

  /** null: not on the charts. */
  colorOf(runId: string): string | null {
    return this.#colorAt(this.#keyOf.get(runId) ?? runId);
  }

  /** Of all its runs; null: not on the charts. */
  colorOfGroup(group: RunGroup): string | null {
    return this.#first.length > 0 ? this.#colorAt(keyOf(group)) : null;
  }

  #colorAt(key: string): string | null {
    const slot = this.#slots.get(key);
    return slot === undefined ? null : colorAt(slot);
  }
}

function runsOf(group: RunGroup): string[] {
  return group.run_ids.slice(0, RUNS_OF_GROUP);
}
