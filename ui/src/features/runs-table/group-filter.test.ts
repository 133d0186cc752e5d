import { expect, it } from "vitest";
import { groupFilter } from "./group-filter.ts";

it("narrows a filter to one group", () => {
  expect(groupFilter("", [{ id: "params.lr" }], [0.01])).toBe("params.lr = 0.01");
  expect(groupFilter("a = 1 or b = 2", [{ id: "params.net" }, { id: "tags.t" }], ["it's", null])).toBe("(a = 1 or b = 2) and params.net = 'it''s' and tags.t is null");
});
