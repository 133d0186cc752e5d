import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { directionOf } from "./direction.ts";

describe("directionOf", () => {
  it.each(["val/loss", "errors", "wallTimes", "latencies", "RMSE", "lossLR"])("%s is better low", (name) => {
    expect(directionOf(name, undefined)).toEqual({ goal: "min", isDeclared: false });
  });

  it.each(["accuracy", "lo", "timeout", "lossless"])("%s is better high", (name) => {
    expect(directionOf(name, undefined).goal).toBe("max");
  });

  it("is declared before it is guessed", () => {
    const definition = { goal: "max", step_metric: null, unit: null } as const;
    expect(directionOf("loss", definition)).toEqual({ goal: "max", isDeclared: true });
  });

  it("knows the words that the server knows", () => {
    const stems = (text: string): string[] => [...(/STEMS = [([]([^)\]]*)/.exec(text)?.[1] ?? "").matchAll(/"(\w+)"/g)].map((found) => found[1] ?? "");
    const server = stems(readFileSync("../src/lineal/model/direction.py", "utf8"));
    expect(server.length).toBeGreaterThan(5);
    expect(stems(readFileSync("src/features/compare/direction.ts", "utf8"))).toEqual(server);
  });
});
