/**
 * Places the nodes of a directed graph in columns, left to right: what was used stands left of what used it.
 *
 * Columns by longest path (cycles, which lineage should not have, are cut where they are found); within a column by the mean
 * place of the neighbours, swept to and fro a few times (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).
 */

export interface GraphEdge {
  from: string;
  to: string;
}
export interface Place {
  column: number;
  row: number;
}
export interface Layout {
  places: Map<string, Place>;
  columnCount: number;
  rowCount: number;
}

const SWEEPS = 6;
const SHIFT_MAX_ROWS = 3;

export function layoutOf(ids: readonly string[], edges: readonly GraphEdge[]): Layout {
  const known = new Set(ids);
  const good = edges.filter((edge) => known.has(edge.from) && known.has(edge.to) && edge.from !== edge.to);
  const columns = columnsOf(ids, good);
  const lanes: string[][] = [];
  for (const id of ids) (lanes[columns.get(id) ?? 0] ??= []).push(id);
  for (let at = 0; at < lanes.length; at++) lanes[at] ??= [];
  const before = neighbours(good, "to", "from");
  const after = neighbours(good, "from", "to");
  /** Of every node, counted from the middle of its column. */
  const rows = new Map<string, number>();
  const place = (lane: readonly string[]): void => lane.forEach((id, row) => rows.set(id, row - lane.length / 2));
  lanes.forEach(place);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForth = sweep % 2 === 0;
    const order = isForth ? lanes.map((_, at) => at) : lanes.map((_, at) => lanes.length - 1 - at);
    for (const at of order) {
      settle(lanes[at]!, rows, isForth ? before : after);
      place(lanes[at]!);
    }
  }
  const rowCount = Math.max(0, ...lanes.map((lane) => lane.length));
  const places = new Map<string, Place>();
  lanes.forEach((lane, column) => {
    // Short columns stand in the middle of long ones, but of the longest at their head: who has a hundred children is in sight.
    const shift = Math.min((rowCount - lane.length) / 2, SHIFT_MAX_ROWS);
    lane.forEach((id, row) => places.set(id, { column, row: row + shift }));
  });
  return { places, columnCount: lanes.length, rowCount };
}

function columnsOf(ids: readonly string[], edges: readonly GraphEdge[]): Map<string, number> {
  const next = neighbours(edges, "from", "to");
  const state = new Map<string, "open" | "done">();
  const sorted: string[] = [];
  const cut = new Set<string>();
  for (const root of ids) {
    if (state.has(root)) continue;
    // By hand, since a chain of thousands would end the call stack.
    const stack: { id: string; at: number }[] = [{ id: root, at: 0 }];
    state.set(root, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const child = (next.get(top.id) ?? [])[top.at++];
      if (child === undefined) {
        state.set(top.id, "done");
        sorted.push(top.id);
        stack.pop();
      } else if (state.get(child) === "open") cut.add(JSON.stringify([top.id, child]));
      else if (!state.has(child)) {
        state.set(child, "open");
        stack.push({ id: child, at: 0 });
      }
    }
  }
  const columns = new Map<string, number>(ids.map((id) => [id, 0]));
  for (const id of sorted.reverse()) {
    for (const child of next.get(id) ?? []) {
      if (!cut.has(JSON.stringify([id, child]))) columns.set(child, Math.max(columns.get(child) ?? 0, (columns.get(id) ?? 0) + 1));
    }
  }
  const reached = new Set(edges.map((edge) => edge.to));
  // What only begins there stands right before what it leads to, not at the far left.
  for (const id of sorted.reverse()) {
    const children = (next.get(id) ?? []).filter((child) => !cut.has(JSON.stringify([id, child])));
    if (children.length > 0 && !reached.has(id)) columns.set(id, Math.max(0, Math.min(...children.map((child) => columns.get(child) ?? 0)) - 1));
  }
  return columns;
}

function neighbours(edges: readonly GraphEdge[], key: "from" | "to", value: "from" | "to"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const edge of edges) {
    const list = found.get(edge[key]);
    if (list === undefined) found.set(edge[key], [edge[value]]);
    else list.push(edge[value]);
  }
  return found;
}

function settle(lane: string[], rows: ReadonlyMap<string, number>, towards: ReadonlyMap<string, readonly string[]>): void {
  const weight = new Map(
    lane.map((id) => {
      const seen = (towards.get(id) ?? []).map((one) => rows.get(one) ?? 0);
      return [id, seen.length === 0 ? (rows.get(id) ?? 0) : seen.reduce((sum, one) => sum + one, 0) / seen.length] as const;
    }),
  );
  lane.sort((a, b) => weight.get(a)! - weight.get(b)!);
}

const BOX = { most: 208, least: 168 } as const;
const GAP = { most: 84, least: 44 } as const;

/** How wide the boxes of so many columns are and how far apart: closer, then narrower, where that makes all fit; else as usual. */
export function measuresFor(columnCount: number, room: number): { boxWidth: number; gap: number } {
  const gaps = columnCount - 1;
  const usual = { boxWidth: BOX.most, gap: GAP.most };
  if (gaps < 1) return usual;
  const gap = Math.floor((room - columnCount * BOX.most) / gaps);
  if (gap >= GAP.most) return usual;
  if (gap >= GAP.least) return { boxWidth: BOX.most, gap };
  const boxWidth = Math.floor((room - gaps * GAP.least) / columnCount);
  return boxWidth >= BOX.least ? { boxWidth, gap: GAP.least } : usual;
}
