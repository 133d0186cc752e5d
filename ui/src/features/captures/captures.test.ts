import { expect, test } from "vitest";
import { commandText, NO_CAPTURES, readCaptures, startedText } from "./captures.ts";

test("of each part the first row counts: the latest attempt's", () => {
  const read = readCaptures([
    { attempt_id: "b", part: "code", content: { kind: "git", commit: "2".repeat(40), is_dirty: true, patch: { path: ".lineal/code/patch.diff", digest: "d", size_bytes: 10 } } },
    { attempt_id: "a", part: "code", content: { kind: "git", commit: "1".repeat(40) } },
    { attempt_id: "a", part: "environment", content: { python: { version: "3.12.1" }, packages: { numpy: "2.1", Alpha: "1" }, direct: { numpy: { url: "git+https://x", commit: "abc" } } } },
  ]);
  expect(read.code?.commit).toBe("2".repeat(40));
  expect(read.code?.patch).toEqual({ path: ".lineal/code/patch.diff", digest: "d", sizeBytes: 10 });
  expect(read.environment?.packages).toEqual([
    { name: "Alpha", version: "1", source: null },
    { name: "numpy", version: "2.1", source: "git+https://x @ abc" },
  ]);
  expect(read.hardware).toBeNull();
});

test("a large environment says how many packages it does not name", () => {
  const left = (content: object): number | undefined => readCaptures([{ attempt_id: "a", part: "environment", content }]).environment?.packagesLeftOut;
  expect([left({ packages: { a: "1" }, packages_left_out: 12 }), left({ packages: { a: "1" } }), left({ packages_left_out: "many" })]).toEqual([12, 0, 0]);
});

test("what MLflow's tags told is not called clean, nor detached", () => {
  const told = readCaptures([{ attempt_id: "a", part: "code", content: { kind: "git", commit: "1".repeat(40), trouble: ["not known"] } }]).code;
  expect([told?.isDirty, told?.isDetached, told?.branch]).toEqual([null, false, null]);
  const captured = readCaptures([{ attempt_id: "a", part: "code", content: { kind: "git", commit: "1".repeat(40), branch: null, is_dirty: false } }]).code;
  expect([captured?.isDirty, captured?.isDetached]).toEqual([false, true]);
});

test("the cells of a notebook are a file", () => {
  const cells = { path: ".lineal/code/cells.py", digest: "d", size_bytes: 7 };
  expect(readCaptures([{ attempt_id: "a", part: "code", content: { kind: "notebook", cells } }]).code?.cells).toEqual({ path: cells.path, digest: "d", sizeBytes: 7 });
});

test("modules from outside of the tree are files of their own", () => {
  const elsewhere = { archive: { path: ".lineal/code/elsewhere.zip", digest: "d", size_bytes: 7 }, files: [["home/ada/library/rates.py", "e", 9]] };
  const read = readCaptures([{ attempt_id: "a", part: "code", content: { kind: "git", elsewhere } }]).code;
  expect(read?.elsewhere.files).toEqual([{ name: "home/ada/library/rates.py", digest: "e", sizeBytes: 9 }]);
  expect([read?.elsewhere.archive?.path, read?.files]).toEqual([".lineal/code/elsewhere.zip", []]);
});

test("what another client wrote is no reason to fail", () => {
  expect(readCaptures([])).toEqual(NO_CAPTURES);
  const odd = readCaptures(["execution", "code", "environment", "hardware", "sources", "resources"].map((part) => ({ attempt_id: "a", part, content: [null, 3, "x"] })));
  expect(odd.execution?.command).toEqual([]);
  expect(odd.code?.kind).toBe("none");
  expect(odd.sources).toEqual([]);
  expect(readCaptures([{ attempt_id: "a", part: "code", content: { untracked: { files: ["name", ["other", "d", "big"]] }, submodules: [3] } }]).code?.files).toEqual([
    { name: "name", digest: null, sizeBytes: null },
    { name: "other", digest: "d", sizeBytes: null },
  ]);
});

test("a command line can be pasted into a shell", () => {
  expect(commandText(["python", "-m", "pkg.train", "--lr=0.1", "a b", "it's", ""])).toBe(`python -m pkg.train --lr=0.1 'a b' 'it'\\''s' ''`);
});

test("a run of MLflow's client tells its script, and no command", () => {
  const read = readCaptures([{ attempt_id: "a", part: "execution", content: { entry_point: { kind: "script", name: "old.py" } } }]);
  expect(startedText(read.execution)).toBe("old.py");
  expect(startedText(null)).toBe("");
  const whole = readCaptures([{ attempt_id: "a", part: "execution", content: { command: ["python", "a b.py"], entry_point: { kind: "script", name: "a b.py" } } }]);
  expect(startedText(whole.execution)).toBe("python 'a b.py'");
});
