import { describe, expect, test } from "vitest";
import { matcherOf, sectionsOf } from "./sections.ts";

test("sections in the order of an experiment", () => {
  const names = ["test/acc", "system/cpu", "val/acc", "zebra/x", "train/acc", "best/acc", "acc", "apple/x"];
  expect(sectionsOf(names).map((section) => section.name)).toEqual(["", "train", "val", "apple", "zebra", "test", "best", "system"]);
});

test("sections by the part before the first slash, names in natural order", () => {
  expect(sectionsOf(["val/loss", "train/b/c", "system/cpu", "lr", "train/a", "loss_10", "loss_2", "train/a"])).toEqual([
    { name: "", metrics: ["loss_2", "loss_10", "lr"] },
    { name: "train", metrics: ["train/a", "train/b/c"] },
    { name: "val", metrics: ["val/loss"] },
    { name: "system", metrics: ["system/cpu"] },
  ]);
});

test("pinned ones come first, in the order in which they were pinned, and nowhere else", () => {
  expect(sectionsOf(["train/loss", "val/loss", "val/acc"], ["val/loss", "gone", "train/loss"])).toEqual([
    { name: "Pinned", metrics: ["val/loss", "train/loss"], isPinned: true },
    { name: "val", metrics: ["val/acc"] },
  ]);
  expect(sectionsOf(["val/acc"], ["gone"])).toEqual([{ name: "val", metrics: ["val/acc"] }]);
});

test("a slash at the start is part of the name", () => {
  expect(sectionsOf(["/odd"])).toEqual([{ name: "", metrics: ["/odd"] }]);
});

describe("matcherOf", () => {
  test.each([
    ["", ["train/loss", "val/acc"]],
    ["LOSS", ["train/loss"]],
    ["tr lo", ["train/loss"]],
    ["/^val/", ["val/acc"]],
    ["/ACC$/i", ["val/acc"]],
    ["/acc", ["val/acc"]],
  ])("%s", (search, found) => {
    const { matches, error } = matcherOf(search);
    expect(error).toBeNull();
    expect(["train/loss", "val/acc"].filter(matches)).toEqual(found);
  });

  test("a wrong expression says so and hides nothing", () => {
    const { matches, error } = matcherOf("/(/");
    expect(error).not.toBeNull();
    expect(matches("loss")).toBe(true);
  });
});
