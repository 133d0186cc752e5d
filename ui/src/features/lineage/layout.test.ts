import { expect, test } from "vitest";
import { layoutOf, measuresFor } from "./layout.ts";

const edge = (from: string, to: string) => ({ from, to });

test("what was used stands left of what used it", () => {
  const { places, columnCount, rowCount } = layoutOf(["version", "run", "data", "model"], [edge("data", "run"), edge("run", "model"), edge("model", "version")]);
  expect(columnCount).toBe(4);
  expect(rowCount).toBe(1);
  expect(["data", "run", "model", "version"].map((id) => places.get(id)!.column)).toEqual([0, 1, 2, 3]);
});

test("a source stands right before what it leads to", () => {
  const { places } = layoutOf(["a", "b", "c", "late"], [edge("a", "b"), edge("b", "c"), edge("late", "c")]);
  expect(places.get("late")!.column).toBe(1);
});

test("rows follow the neighbours, so that lines do not cross", () => {
  const { places } = layoutOf(["x1", "x2", "y2", "y1"], [edge("x1", "y1"), edge("x2", "y2")]);
  expect(places.get("x1")!.row < places.get("x2")!.row).toBe(places.get("y1")!.row < places.get("y2")!.row);
});

test("cycles, loops, unknown ends and long chains end", () => {
  const round = layoutOf(["a", "b"], [edge("a", "b"), edge("b", "a"), edge("a", "a"), edge("a", "gone")]);
  expect([...round.places.keys()].sort()).toEqual(["a", "b"]);
  const ids = Array.from({ length: 20_000 }, (_, at) => `n${at}`);
  expect(layoutOf(ids, ids.slice(1).map((id, at) => edge(ids[at]!, id))).columnCount).toBe(20_000);
  expect(layoutOf([], [])).toEqual({ places: new Map(), columnCount: 0, rowCount: 0 });
});

test("no two nodes share a place", () => {
  const ids = ["d", "r1", "r2", "r3", "m"];
  const { places } = layoutOf(ids, [edge("d", "r1"), edge("d", "r2"), edge("d", "r3"), edge("r2", "m")]);
  expect(new Set([...places.values()].map((place) => `${place.column}/${place.row}`)).size).toBe(ids.length);
});

test("whoever has many children stands where one begins to look", () => {
  const children = Array.from({ length: 40 }, (_, n) => `child ${n}`);
  const { places, rowCount } = layoutOf(["parent", ...children], children.map((child) => edge("parent", child)));
  expect(rowCount).toBe(40);
  expect(places.get("parent")!.row).toBe(3);
  expect(layoutOf(["a", "b", "c", "d"], ["b", "c", "d"].map((child) => edge("a", child))).places.get("a")!.row).toBe(1);
});

test("columns come closer, then become narrower, where all of them fit so", () => {
  expect(measuresFor(1, 300)).toEqual({ boxWidth: 208, gap: 84 });
  expect(measuresFor(4, 2_000)).toEqual({ boxWidth: 208, gap: 84 });
  expect(measuresFor(4, 982)).toEqual({ boxWidth: 208, gap: 50 });
  expect(measuresFor(4, 900)).toEqual({ boxWidth: 192, gap: 44 });
  for (const [columns, room] of [[4, 982], [4, 900], [6, 1_300]] as const) {
    const { boxWidth, gap } = measuresFor(columns, room);
    expect(columns * boxWidth + (columns - 1) * gap).toBeLessThanOrEqual(room);
  }
  // too many: they keep their size and are scrolled through
  expect(measuresFor(6, 358)).toEqual({ boxWidth: 208, gap: 84 });
});
