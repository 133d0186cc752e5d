import { describe, expect, it } from "vitest";
import { readParams } from "./params-tree.ts";
import { paramsText } from "./params-text.ts";

const PARAMS = readParams(
  { lr: "1e-05", seed: "9007199254740993", "optim/name": "adam", "optim/nesterov": "False", resume: "None", odd: 'a "b"\n', bad: "NaN", yes: "no" },
  { lr: 1e-5, seed: 9007199254740992, "optim/name": "adam", "optim/nesterov": false, resume: null, odd: 'a "b"\n', bad: "NaN", yes: "no" },
);

describe("params as text", () => {
  it("are JSON that reads back, with every digit", () => {
    const text = paramsText(PARAMS, "json");
    expect(JSON.parse(text)).toEqual({
      lr: 1e-5, seed: 9007199254740992, optim: { name: "adam", nesterov: false }, resume: null, odd: 'a "b"\n', bad: "NaN", yes: "no",
    });
    expect(text).toContain('"seed": 9007199254740993');
  });

  it("are a Python dict", () => {
    const text = paramsText(PARAMS, "python");
    expect(text).toContain('    "resume": None,\n');
    expect(text).toContain('    "optim": {\n        "name": "adam",\n        "nesterov": False,\n    },\n');
  });

  it("are YAML whose texts stay texts, and whose exponents stay numbers for YAML 1.1", () => {
    const text = paramsText(PARAMS, "yaml");
    expect(text).toContain("lr: 1.0e-05\n");
    expect(text).toContain("optim:\n  name: adam\n  nesterov: false\n");
    expect(text).toContain('"yes": "no"\n');
    expect(text).toContain('odd: "a \\"b\\"\\n"\n');
    expect(text).toContain("resume: null\n");
  });

  it("keep whole names where a value and a group share one", () => {
    const params = readParams({ a: "1", "a/b": "2", "a/c/d": "3" }, { a: 1, "a/b": 2, "a/c/d": 3 });
    expect(JSON.parse(paramsText(params, "json"))).toEqual({ a: 1, "a/b": 2, "a/c/d": 3 });
  });

  it("of nothing are empty", () => {
    expect(paramsText([], "json")).toBe("{}\n");
    expect(paramsText([], "yaml")).toBe("{}\n");
  });
});
