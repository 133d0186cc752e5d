import { describe, expect, it } from "vitest";
import { loadingCode, needsTrust } from "./loading.ts";

describe("the code that loads a version", () => {
  it("works as it stands: a program has to be trusted", () => {
    expect(loadingCode("digits@champion", "safetensors")).toBe('import lineal\n\nmodel = lineal.load_model("digits@champion")');
    expect(loadingCode("digits/3", "pickle")).toContain('load_model("digits/3", trust=True)');
  });

  it.each([
    ["pickle", true],
    ["joblib", true],
    ["skops", false],
    ["onnx", false],
    [null, false],
  ])("%s needs trust: %s", (format, needs) => {
    expect(needsTrust(format)).toBe(needs);
  });
});
