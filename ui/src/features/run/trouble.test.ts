import { describe, expect, it } from "vitest";
import { lossText, readTraceback, statusText } from "./trouble.ts";

describe("losses", () => {
  it("are counted and given their reason in words", () => {
    expect(lossText("disk_refuses", 12)).toBe("12 records were dropped: the disk refused to take them (full, or not writable)");
    expect(lossText("locked", 3)).toBe("3 records were dropped: the run was locked");
    expect(lossText("not_a_number", 1)).toBe("1 value was dropped: it is not a number");
    expect(lossText("after_finish", 12_000)).toMatch(/^12,000 calls/);
  });

  it("of an unknown reason still say it", () => {
    expect(lossText("gremlins", 2)).toBe("2 records were dropped: gremlins");
    expect(lossText("constructor", 1)).toBe("1 record was dropped: constructor");
  });
});

describe("a status", () => {
  it("says what it means", () => {
    expect(statusText("lost")).toContain("died without a word");
    expect(statusText("toString")).toBe("Status toString.");
  });
});

describe("a traceback", () => {
  it("has the exception as its headline", () => {
    const error = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    step()\nValueError: loss is NaN\n';
    expect(readTraceback(error)).toMatchObject({ headline: "ValueError: loss is NaN", lineCount: 4 });
  });

  it("of a chain has the last exception", () => {
    const error = "Traceback (most recent call last):\n  ...\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  ...\ntorch.cuda.OutOfMemoryError: CUDA out of memory.\nTried to allocate 2 GiB";
    expect(readTraceback(error).headline).toBe("torch.cuda.OutOfMemoryError: CUDA out of memory.");
  });

  it("without a message, and one that is no traceback, have one too", () => {
    expect(readTraceback("Traceback (most recent call last):\n  x\nKeyboardInterrupt").headline).toBe("KeyboardInterrupt");
    expect(readTraceback("something else went wrong\n").headline).toBe("something else went wrong");
    expect(readTraceback("").headline).toBe("");
  });
});
