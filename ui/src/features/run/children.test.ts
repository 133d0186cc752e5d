import { expect, it } from "vitest";
import { exampleRun } from "../compare/example-runs.ts";
import { childColumns, paramText } from "./children.ts";

const runs = [
  exampleRun("a", { params: { lr: "0.1", model: "mlp", seed: "1" }, typed_params: { lr: 0.1, model: "mlp", seed: 1 }, metrics: { "train/loss": 1, "val/acc": 0.5, "system/cpu": 3, epoch: 2 } }),
  exampleRun("b", { params: { lr: "0.2", model: "mlp", seed: "1", extra: "0.1" }, typed_params: { lr: 0.2, model: "mlp", seed: 1, extra: "0.1" }, metrics: { "train/loss": 1, "val/acc": "NaN" } }),
];

it("the params shown of a sweep are those that tell its runs apart", () => {
  expect(childColumns(runs, 3, 3)).toEqual({ params: ["extra", "lr"], metrics: ["val/acc", "train/loss"] });
  expect(childColumns(runs, 1, 1)).toEqual({ params: ["extra"], metrics: ["val/acc"] });
  expect(childColumns([], 3, 3)).toEqual({ params: [], metrics: [] });
});

it("a param reads as in the tree", () => {
  expect(runs.map((run) => paramText(run, "extra"))).toEqual([null, '"0.1"']);
  expect(paramText(runs[0]!, "lr")).toBe("0.1");
  const third = exampleRun("c", { params: { lr: "0.006666666666666667", big: "9007199254740993" }, typed_params: { lr: 0.1 / 15, big: 9007199254740992 } });
  expect(paramText(third, "lr")).toBe("0.00666667");
  expect(paramText(third, "big")).toBe("9007199254740993");
});
