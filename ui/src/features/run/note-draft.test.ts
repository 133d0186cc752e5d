import { describe, expect, it } from "vitest";
import { dropDraft, findDraft, keepDraft, noteBytes } from "./note-draft.ts";

class Shelf {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
  removeItem = (key: string) => void this.items.delete(key);
}

describe("the draft of a note", () => {
  it("is found again until it is dropped, and belongs to its run", () => {
    const shelf = new Shelf();
    keepDraft("a", { text: "new", base: "old" }, shelf);
    expect(findDraft("a", shelf)).toEqual({ text: "new", base: "old" });
    expect(findDraft("b", shelf)).toBeNull();
    dropDraft("a", shelf);
    expect(findDraft("a", shelf)).toBeNull();
  });

  it("is none when it says what the note says", () => {
    const shelf = new Shelf();
    keepDraft("a", { text: "new", base: "old" }, shelf);
    keepDraft("a", { text: "old", base: "old" }, shelf);
    expect(shelf.items.size).toBe(0);
  });

  it("does without storage, and with damage in it", () => {
    const broken = { getItem: () => { throw new Error("forbidden"); }, setItem: () => { throw new Error("full"); }, removeItem: () => { throw new Error("forbidden"); } };
    expect(findDraft("a", broken)).toBeNull();
    expect(() => keepDraft("a", { text: "x", base: "" }, broken)).not.toThrow();
    expect(() => dropDraft("a", broken)).not.toThrow();
    for (const damage of ["{", "3", "null", '{"text": 1, "base": ""}']) {
      const shelf = new Shelf();
      shelf.setItem("lineal.note.a", damage);
      expect(findDraft("a", shelf)).toBeNull();
    }
  });

  it("is measured in bytes, as the server does", () => {
    expect(noteBytes("é€😀")).toBe(9);
  });
});
