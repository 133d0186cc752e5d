import { expect, test } from "vitest";
import { readLineage } from "./lineage.ts";

test("each thing leads to where it is shown", () => {
  const read = readLineage({
    subject: "run:a1",
    nodes: [
      { key: "run:a1", kind: "run", id: "a1", name: "mlp", status: "finished" },
      { key: "d", kind: "dataset", id: "train@0123", name: "train", version: "2.1", digest: "0123456789abcdef" },
      { key: "v", kind: "model_version", id: "x", name: "digits/3", version: 3, model_name: "digits", status: "production" },
      { key: "f", kind: "artifact", id: "a1:models/m.pt", name: "models/m.pt", run_id: "a1", path: "models/m.pt" },
      { key: "l", kind: "logged_model", id: "m-1", name: "m" },
    ],
    edges: [{ from: "d", to: "run:a1", relation: "used" }],
    is_complete: true,
  });
  expect(read.nodes.map((node) => [node.detail, node.href])).toEqual([
    ["finished", "/runs/a1"],
    ["2.1 · 0123456789", "/lineage?kind=dataset&id=train%400123"],
    ["production", "/models/digits/3"],
    ["", "/runs/a1?tab=artifacts&file=models/m.pt"],
    ["", null],
  ]);
});
