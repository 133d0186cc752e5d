import { describe, expect, test } from "vitest";
import { PACKED, packIds, unpackIds } from "./packed-ids.ts";

const idOf = (number: number): string => (BigInt(number) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834n & ((1n << 128n) - 1n)).toString(16).padStart(32, "0");
const many = Array.from({ length: 300 }, (_, number) => idOf(number));

describe("packed ids", () => {
  test("come back as they were, in their order", () => {
    const [word = "", ...rest] = packIds(many);
    expect(rest).toEqual([]);
    expect(word.startsWith(PACKED)).toBe(true);
    expect(unpackIds(word)).toEqual(many);
  });

  test("three hundred fit into an address", () => {
    expect(packIds(many)[0]?.length).toBeLessThan(6_600);
    expect(packIds(many)[0]).toMatch(/^[~\w-]+$/);
  });

  test("a few, or ids that somebody chose, stay readable", () => {
    expect(packIds(many.slice(0, 10))).toEqual(many.slice(0, 10));
    const own = [...many, "my-run"];
    expect(packIds(own)).toEqual(own);
    expect(packIds([...many, "A".repeat(32)])).toEqual([...many, "A".repeat(32)]);
    expect(packIds([])).toEqual([]);
  });

  test("a word that was cut off loses its last run, nonsense is nothing", () => {
    const word = packIds(many)[0] ?? "";
    expect(unpackIds(word.slice(0, -4))).toEqual(many.slice(0, -1));
    expect(unpackIds(`${PACKED}%%%`)).toEqual([]);
  });
});
