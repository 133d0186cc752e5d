import { expect, test } from "vitest";
import { changeOf, changesWithin, factsOf, firstLines, openAtFirst, readPatch } from "./patch.ts";

const PATCH = `diff --git a/train.py b/train.py
index 257cc56..5716ca5 100644
--- a/train.py
+++ b/train.py
@@ -1,3 +1,4 @@ def main():
 import sys
-lr = 0.1
+lr = 0.2
+-- x
 print(lr)
\\ No newline at end of file
diff --git a/old name.py b/new name.py
similarity index 100%
rename from old name.py
rename to new name.py
diff --git a/gone.txt b/gone.txt
deleted file mode 100644
index 257cc56..0000000
--- a/gone.txt
+++ /dev/null
@@ -1 +0,0 @@
--- a line that looks like a header
diff --git "a/gr\\303\\274n.txt" "b/gr\\303\\274n.txt"
new file mode 100644
index 0000000..257cc56
--- /dev/null
+++ "b/gr\\303\\274n.txt"
@@ -0,0 +1 @@
+foo
diff --git a/x.bin b/x.bin
index 1..2 100644
GIT binary patch
literal 3
Kc$|HZ00000

`;

test("files, hunks and lines, with their numbers", () => {
  const files = readPatch(PATCH);
  expect(files.map((file) => [file.before, file.after, changeOf(file), file.addedCount, file.removedCount])).toEqual([
    ["train.py", "train.py", "changed", 2, 1],
    ["old name.py", "new name.py", "renamed", 0, 0],
    ["gone.txt", "", "removed", 0, 1],
    ["", "grün.txt", "added", 1, 0],
    ["x.bin", "x.bin", "changed", 0, 0],
  ]);
  expect(files[0]!.hunks[0]!.heading).toBe("def main():");
  expect(files[0]!.hunks[0]!.lines).toEqual([
    { kind: "same", text: "import sys", before: 1, after: 1 },
    { kind: "removed", text: "lr = 0.1", before: 2, after: null },
    { kind: "added", text: "lr = 0.2", before: null, after: 2 },
    { kind: "added", text: "-- x", before: null, after: 3 },
    { kind: "same", text: "print(lr)", before: 3, after: 4 },
    { kind: "note", text: "No newline at end of file", before: null, after: null },
  ]);
  expect(files[2]!.hunks[0]!.lines[0]!.text).toBe("-- a line that looks like a header");
  expect(files[4]!.isBinary).toBe(true);
});

test("a diff without git's headers, and text that is none", () => {
  const files = readPatch("--- a/one\t2026\n+++ b/one\t2026\n@@ -1 +1 @@\n-a\n+b\n--- a/two\n+++ b/two\n@@ -1 +1 @@\n-c\n+d\n");
  expect(files.map((file) => file.after)).toEqual(["one", "two"]);
  expect(readPatch("hello\nworld")).toEqual([]);
  expect(readPatch("")).toEqual([]);
});

test("git's words are shown where they say more than the change does", () => {
  const [added, renamed, runnable] = readPatch(
    "diff --git a/a b/a\nnew file mode 100644\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\ndiff --git a/b b/c\nsimilarity index 90%\nrename from b\nrename to c\ndiff --git a/d b/d\nold mode 100644\nnew mode 100755\n",
  );
  expect([added, renamed, runnable].map((file) => factsOf(file!))).toEqual([[], ["similarity index 90%"], ["old mode 100644", "new mode 100755"]]);
});

test("long files stay closed, and no more are open than a page can draw", () => {
  const file = (lines: number): string => `diff --git a/f${lines} b/f${lines}\n--- a/f${lines}\n+++ b/f${lines}\n@@ -0,0 +1,${lines} @@\n${"+x\n".repeat(lines)}`;
  const files = readPatch(file(3) + file(50) + file(4) + file(6));
  expect(openAtFirst(files, 10, 10)).toEqual([true, false, true, false]);
  const cut = firstLines(readPatch(`${file(3)}@@ -9,0 +9,4 @@\n${"+y\n".repeat(4)}@@ -20,0 +20,1 @@\n+z\n`)[0]!, 5);
  expect([cut.hunks.map((hunk) => hunk.lines.length), cut.left]).toEqual([[3, 2], 3]);
});

test("within a line that replaced another, what is another", () => {
  const within = (patch: string): unknown => [...changesWithin(readPatch(`--- a/f\n+++ b/f\n@@ -1,9 +1,9 @@\n${patch}`)[0]!.hunks[0]!.lines)];
  expect(within("-lr = 0.1\n+lr = 0.25\n")).toEqual([
    [0, [7, 8]],
    [1, [7, 9]],
  ]);
  expect(within("-    return a\n+    raise Bad\n")).toEqual([]);
  // More lines than before: nobody knows which is which.
  expect(within("-lr = 0.1\n+lr = 0.2\n+lr = 0.3\n")).toEqual([]);
  expect(within("-a = 1\n-b = 1\n+a = 2\n+b = 2\n x\n")).toHaveLength(4);
  expect(within("-ok = 😀\n+ok = 😁\n")).toEqual([
    [0, [5, 7]],
    [1, [5, 7]],
  ]);
  expect(within("-aa\n+aaa\n")).toEqual([
    [0, [2, 2]],
    [1, [2, 3]],
  ]);
});
