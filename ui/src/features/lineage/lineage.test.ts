import { expect, test } from "vitest";
import type { LineageAnswer } from "../../api/shapes.ts";
import { readLineage, shortPath } from "./lineage.ts";

type Node = LineageAnswer["nodes"][number];

function node(key: string, kind: Node["kind"], id: string, name: string, more: Partial<Node> = {}): Node {
  const nothing = { run_id: null, status: null, experiment: null, started_at: null, attempt_count: null, digest: null, names: null, version: null, source: null, path: null, size_bytes: null, uri: null, model_name: null, stage: null };
  return { key, kind, id, name, is_known: true, is_deleted: false, ...nothing, ...more };
}

test("each thing leads to where it is shown", () => {
  const read = readLineage({
    subject: "run:a1",
    nodes: [
      node("run:a1", "run", "a1", "mlp", { status: "finished" }),
      node("d", "dataset", "train@0123", "train", { version: "2.1", digest: "0123456789abcdef" }),
      node("v", "model_version", "x", "digits", { version: "3", model_name: "digits", stage: "production" }),
      node("f", "artifact", "a1:models/m.pt", "models/m.pt", { run_id: "a1", path: "models/m.pt", version: "2" }),
      node("m", "logged_model", "m-1", "net", { run_id: "a1" }),
      node("run:gone", "run", "gone", "gone", { is_known: false }),
    ],
    edges: [{ from: "d", to: "run:a1", relation: "used", context: "training" }],
    is_complete: true,
  });
  expect(read.nodes.map((one) => [one.name, one.detail, one.href])).toEqual([
    ["mlp", "finished", "/runs/a1"],
    ["train", "2.1 · 0123456789", "/lineage?kind=dataset&id=train%400123"],
    ["digits v3", "production", "/models/digits/3"],
    ["models/m.pt", "v2", "/runs/a1?tab=artifacts&file=models/m.pt"],
    ["net", "", "/lineage?kind=logged_model&id=m-1"],
    ["gone", "not here", null],
  ]);
});

test("a long path is told by its end", () => {
  expect(shortPath("model.bin")).toBe("model.bin");
  expect(shortPath("tensorboard/images/samples/100.png")).toBe("…/samples/100.png");
  expect(shortPath("a/b/c/d/e/f/g/h/i/j/k/l/m.txt").length).toBeLessThanOrEqual(18);
  const whole = "a-name-that-is-longer-than-any-box.safetensors";
  expect(shortPath(`models/${whole}`)).toBe(whole);
});
