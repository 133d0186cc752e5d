import { describe, expect, it } from "vitest";
import { rankNames } from "../../api/field-names.ts";
import { contextAt, errorSentence, isUnfinished, mayBeWhole, nameSearch, operatorsFor, placeInText, valueText, wordAt, type Place } from "./completion.ts";

/** The cursor is the bar. */
function at(marked: string): { place: Place; replaced: string } {
  const cursor = marked.indexOf("|");
  const text = marked.replace("|", "");
  const { place, from, to } = contextAt(text, cursor);
  return { place, replaced: text.slice(from, to) };
}

describe("what stands at the cursor", () => {
  it.each<[string, Partial<Place>, string]>([
    ["|", { expects: "field", prefix: "" }, ""],
    ["stat|", { expects: "field", prefix: "stat" }, "stat"],
    ["sta|tus = 'x'", { expects: "field", prefix: "sta" }, "status"],
    ["status |", { expects: "operator", field: "status", prefix: "" }, ""],
    ["status =|", { expects: "value", field: "status", prefix: "" }, ""],
    ["status = fin|", { expects: "value", prefix: "fin", quoted: false }, "fin"],
    ["status = 'fin|", { expects: "value", prefix: "fin", quoted: true }, "'fin"],
    ["status = 'a b|", { expects: "value", prefix: "a b", quoted: true }, "'a b"],
    ["status = 'finished'|", { expects: "joiner", open: 0 }, ""],
    ["status = 'finished' an|", { expects: "joiner", prefix: "an" }, "an"],
    ["(status = 'finished' |", { expects: "joiner", open: 1 }, ""],
    ["(a = 1) |", { expects: "joiner", open: 0 }, ""],
    ["a = 1 and not metrics.val|", { expects: "field", prefix: "metrics.val" }, "metrics.val"],
    ["min(metrics.l|", { expects: "field", metricOnly: true, prefix: "metrics.l" }, "metrics.l"],
    ["min(metrics.loss) |", { expects: "operator", field: "metrics.loss" }, ""],
    ["params.x in (|", { expects: "value", field: "params.x" }, ""],
    ["params.x in ('a', |", { expects: "value", field: "params.x" }, ""],
    ["params.x not in ('a') |", { expects: "joiner" }, ""],
    ["params.lr between 1 and |", { expects: "value", field: "params.lr" }, ""],
    ["params.lr between 1 and 2 |", { expects: "joiner" }, ""],
    ["params.lr is not |", { expects: "nothing" }, ""],
    ["params.lr is not null |", { expects: "joiner" }, ""],
    ["metrics.`odd na|", { expects: "field", prefix: "metrics.`odd na" }, "metrics.`odd na"],
    ["metrics.`odd name` |", { expects: "operator", field: "metrics.`odd name`" }, ""],
    ["name = 'it''s' |", { expects: "joiner" }, ""],
  ])("%s", (marked, place, replaced) => {
    const found = at(marked);
    expect(found.place).toMatchObject(place);
    expect(found.replaced).toBe(replaced);
  });
});

it("offers numbers the orders first, texts the patterns", () => {
  expect(operatorsFor("metrics.loss")[0]?.text).toBe(">");
  expect(operatorsFor("metrics.loss").map((one) => one.text)).not.toContain("like");
  expect(operatorsFor("name").map((one) => one.text)).toContain("ilike");
  expect(operatorsFor("name").map((one) => one.text)).not.toContain(">");
});

it("writes values as the language has them", () => {
  expect(valueText("params.lr", "0.001")).toBe("0.001");
  expect(valueText("params.net", "it's")).toBe("'it''s'");
  expect(valueText("name", "42")).toBe("'42'");
  expect(valueText("params.x", "0x10")).toBe("'0x10'");
});

it("takes plain words for a name", () => {
  expect(nameSearch(" resnet 50 ")).toBe("name ilike '%resnet 50%'");
  expect(nameSearch("\u{1F9EA}\u{1F469}")).toBe("name ilike '%\u{1F9EA}\u{1F469}%'");
  expect(nameSearch("100%")).toBe("name ilike '%100%%'");
  expect(nameSearch("status = 'x'")).toBeNull();
  expect(nameSearch("metrics.loss")).toBeNull();
});

it("finds the place of an error", () => {
  expect(placeInText("\u{1F680}ab", 1)).toBe(2);
  expect(wordAt("a == bcd", 5)).toEqual({ start: 5, end: 8 });
  expect(wordAt("a =", 3)).toEqual({ start: 3, end: 4 });
});

it("knows what cannot be whole yet", () => {
  for (const text of ["status = 'x'", "(a = 1 or b = 2)", "a in (1, 2) ", "a is not null", "a between 1 and 2"]) expect(mayBeWhole(text)).toBe(true);
  for (const text of ["", "status", "status =", "status = 'x", "(a = 1", "a = 1 and", "a between 1", "a in (1", "not"]) expect(mayBeWhole(text)).toBe(false);
});

it("does not scold whoever is still typing", () => {
  expect(isUnfinished("status =", 8, 8)).toBe(true);
  expect(isUnfinished("stat", 0, 4)).toBe(true);
  expect(isUnfinished("stat", 0, 2)).toBe(false);
  expect(isUnfinished("nope = 1 and x", 0, 14)).toBe(false);
});

it("makes one sentence of the server's message", () => {
  const detail = "filter, position 8: expected a value, found the end\n  status =\n          ^\n  did you mean 'x'?";
  expect(errorSentence(detail)).toBe("Expected a value, found the end \u2013 did you mean 'x'?");
  const long = `filter, position 1: expected ${"x".repeat(80)}, found 'y'\n  y\n  ^\n  did you mean params.y?`;
  expect(errorSentence(long)).toBe("Not expected here: 'y' \u2013 did you mean params.y?");
  expect(errorSentence("too long")).toBe("Too long");
});

it("ranks names by where the part stands", () => {
  expect(rankNames(["train/loss", "gloss", "loss", "acc"], "Loss")).toEqual(["loss", "train/loss", "gloss"]);
});
