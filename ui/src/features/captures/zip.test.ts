import { expect, test } from "vitest";
import { readEntry, readZip } from "./zip.ts";

/** Made by Python's zipfile: three deflated files, one of them empty, and a stored one. */
const ARCHIVE = Uint8Array.from(
  atob(
    "UEsDBBQAAAAIAAAAIQCKMBWYEwAAAOABAAAIAAAAdHJhaW4ucHnLzC3ILypRyE0syeDKHGUPOzYAUEsDBBQAAAgIAAAAIQA7ifaLCAAAAAYAAAAMAAAAcGtnL2dyw7xuLnB5q1CwVTDkAgBQSwMEFAAAAAgAAAAhAAAAAAACAAAAAAAAAAkAAABlbXB0eS50eHQDAFBLAwQUAAAAAAAAACEAsyROlggAAAAIAAAACgAAAHN0b3JlZC50eHRhcyBpdCBpc1BLAQIUAxQAAAAIAAAAIQCKMBWYEwAAAOABAAAIAAAAAAAAAAAAAACAAQAAAAB0cmFpbi5weVBLAQIUAxQAAAgIAAAAIQA7ifaLCAAAAAYAAAAMAAAAAAAAAAAAAACAATkAAABwa2cvZ3LDvG4ucHlQSwECFAMUAAAACAAAACEAAAAAAAIAAAAAAAAACQAAAAAAAAAAAAAAgAFrAAAAZW1wdHkudHh0UEsBAhQDFAAAAAAAAAAhALMkTpYIAAAACAAAAAoAAAAAAAAAAAAAAIABlAAAAHN0b3JlZC50eHRQSwUGAAAAAAQABADfAAAAxAAAAAAA",
  ),
  (letter) => letter.charCodeAt(0),
);
const textOf = async (name: string, maxBytes = 1000): Promise<string> => new TextDecoder().decode(await readEntry(ARCHIVE, readZip(ARCHIVE).find((entry) => entry.name === name)!, maxBytes));

test("names, sizes and contents", async () => {
  expect(readZip(ARCHIVE).map((entry) => [entry.name, entry.sizeBytes])).toEqual([
    ["train.py", 480],
    ["pkg/grün.py", 6],
    ["empty.txt", 0],
    ["stored.txt", 8],
  ]);
  expect(await textOf("train.py")).toBe("import math\n".repeat(40));
  expect(await textOf("train.py", 11)).toBe("import math");
  expect(await textOf("pkg/grün.py")).toBe("x = 1\n");
  expect(await textOf("empty.txt")).toBe("");
  expect(await textOf("stored.txt")).toBe("as it is");
});

test("what is no archive, or a damaged one, is an error and no endless work", async () => {
  expect(() => readZip(new Uint8Array(0))).toThrow("no zip");
  expect(() => readZip(new TextEncoder().encode("hello".repeat(100)))).toThrow("no zip");
  expect(() => readZip(ARCHIVE.slice(40))).toThrow("damaged");
  const odd = ARCHIVE.slice();
  odd.fill(0xff, 38, 44);
  await expect(readEntry(odd, readZip(odd)[0]!, 1000)).rejects.toThrow();
  await expect(readEntry(ARCHIVE, { ...readZip(ARCHIVE)[0]!, offset: 1e9 }, 1000)).rejects.toThrow("damaged");
});
