import { describe, expect, it } from "vitest";
import type { Choice } from "../../api/shapes.ts";
import { ordinal, rankText, ruleText, valueText } from "./choice.ts";

const CHOICE = { rank: 1, run_count: 24, equal_count: 0, goal: "max", goal_is_declared: true, rule: "asked" } as Choice;

describe("why a version was chosen, in words", () => {
  it("counts", () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 1001].map(ordinal)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "1,001st"]);
    expect(rankText(CHOICE)).toBe("1st of 24");
    expect(rankText({ ...CHOICE, equal_count: 2 })).toBe("1st of 24, with 2 as good");
    expect(rankText({ ...CHOICE, rank: null })).toBe("not among them");
  });

  it("says by which rule", () => {
    expect(ruleText(CHOICE)).toBe("higher is better, as declared");
    expect(ruleText({ ...CHOICE, goal: "min", goal_is_declared: false, rule: "logged" })).toBe("lower is better, by its name; the metric that most runs have");
  });

  it("shows values as they are", () => {
    expect(["NaN", 0.98765432, null, "adam", true, [1, 2]].map(valueText)).toEqual(["NaN", "0.9877", "–", "adam", "true", "[1,2]"]);
  });
});
