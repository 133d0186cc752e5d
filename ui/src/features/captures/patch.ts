/** A unified diff, as git writes it, in files, hunks and lines. Reads what it can: a line that fits nowhere is text of its file. */

export type LineKind = "same" | "added" | "removed" | "note";
export interface PatchLine {
  kind: LineKind;
  text: string;
  before: number | null;
  after: number | null;
}
export interface Hunk {
  /** What git writes behind the second @@: the function it is in. */
  heading: string;
  lines: PatchLine[];
}
export interface PatchedFile {
  /** "" where the file was made, or removed. */
  before: string;
  after: string;
  isBinary: boolean;
  /** Mode changes, renames ... in git's words. */
  facts: string[];
  hunks: Hunk[];
  addedCount: number;
  removedCount: number;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;
const FACT = /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|Submodule) ?/;

export function readPatch(text: string): PatchedFile[] {
  const files: PatchedFile[] = [];
  let file: PatchedFile | null = null;
  let hunk: Hunk | null = null;
  let [before, after, beforeLeft, afterLeft] = [0, 0, 0, 0];
  let isInBinary = false;
  const begin = (name: string): PatchedFile => {
    const made: PatchedFile = { before: name, after: name, isBinary: false, facts: [], hunks: [], addedCount: 0, removedCount: 0 };
    files.push(made);
    hunk = null;
    isInBinary = false;
    return made;
  };
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    if (hunk !== null && (beforeLeft > 0 || afterLeft > 0 || line.startsWith("\\"))) {
      const sign = line[0];
      const body = line.slice(1);
      const into: PatchLine[] = (hunk as Hunk).lines;
      if (sign === "+") {
        into.push({ kind: "added", text: body, before: null, after: after++ });
        afterLeft--;
        file!.addedCount++;
        continue;
      }
      if (sign === "-") {
        into.push({ kind: "removed", text: body, before: before++, after: null });
        beforeLeft--;
        file!.removedCount++;
        continue;
      }
      if (sign === " " || line === "") {
        into.push({ kind: "same", text: body, before: before++, after: after++ });
        beforeLeft--;
        afterLeft--;
        continue;
      }
      if (sign === "\\") {
        into.push({ kind: "note", text: body.trim(), before: null, after: null });
        continue;
      }
    }
    if (line.startsWith("diff --git ")) {
      file = begin(nameOfHeader(line));
      continue;
    }
    if (line.startsWith("--- ") && (file === null || file.hunks.length > 0)) file = begin("");
    if (file === null) continue;
    const start = HUNK.exec(line);
    if (start !== null) {
      [before, after] = [Number(start[1]), Number(start[2])];
      [beforeLeft, afterLeft] = countsOf(line);
      hunk = { heading: start[3] ?? "", lines: [] };
      file.hunks.push(hunk);
    } else if (line.startsWith("--- ")) file.before = nameOfSide(line.slice(4), "a/");
    else if (line.startsWith("+++ ")) file.after = nameOfSide(line.slice(4), "b/");
    else if (line.startsWith("GIT binary patch") || line.startsWith("Binary files ")) isInBinary = file.isBinary = true;
    else if (!isInBinary && FACT.test(line)) {
      file.facts.push(line);
      if (line.startsWith("new file mode")) file.before = "";
      if (line.startsWith("deleted file mode")) file.after = "";
      if (line.startsWith("rename from ")) file.before = unquoted(line.slice(12));
      if (line.startsWith("rename to ")) file.after = unquoted(line.slice(10));
    }
  }
  return files;
}

function countsOf(line: string): [number, number] {
  const counts = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
  return [Number(counts?.[1] ?? 1), Number(counts?.[2] ?? 1)];
}

function nameOfSide(text: string, prefix: string): string {
  const name = unquoted(text.split("\t")[0] ?? "");
  if (name === "/dev/null") return "";
  return name.startsWith(prefix) ? name.slice(2) : name;
}

/** `diff --git a/x b/x`: both halves are the same name where nothing was renamed. */
function nameOfHeader(line: string): string {
  const rest = line.slice("diff --git ".length);
  if (rest.startsWith('"')) return unquoted(/^"(?:[^"\\]|\\.)*"/.exec(rest)?.[0] ?? rest).replace(/^a\//, "");
  const half = (rest.length - 1) / 2;
  return rest.slice(0, half).replace(/^a\//, "");
}

/** Names with odd characters come in double quotes, bytes beyond ASCII as octal numbers. */
function unquoted(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"')) return text;
  const bytes: number[] = [];
  const inner = text.slice(1, -1);
  const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };
  for (let at = 0; at < inner.length; at++) {
    const letter = inner[at]!;
    if (letter !== "\\") {
      bytes.push(...new TextEncoder().encode(letter));
      continue;
    }
    const octal = /^[0-7]{3}/.exec(inner.slice(at + 1));
    if (octal !== null) {
      bytes.push(parseInt(octal[0], 8));
      at += 3;
    } else {
      const next = inner[++at] ?? "";
      bytes.push(...new TextEncoder().encode(ESCAPES[next] ?? next));
    }
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** What happened to it, in a word. */
export function changeOf(file: PatchedFile): "added" | "removed" | "renamed" | "changed" {
  if (file.before === "") return "added";
  if (file.after === "") return "removed";
  return file.before === file.after ? "changed" : "renamed";
}

/** Git's words that say more than that it was made, removed or renamed. */
export function factsOf(file: PatchedFile): string[] {
  return file.facts.filter((fact) => !/^(new|deleted) file mode 100644$|^rename (from|to) |^similarity index 100%$/.test(fact));
}

export function lineCount(file: PatchedFile): number {
  return file.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
}

/** Which files are open before somebody opens one: short ones, as long as they are not too many together. */
export function openAtFirst(files: readonly PatchedFile[], maxLines: number, maxTogether: number): boolean[] {
  let left = maxTogether;
  return files.map((file) => {
    const count = lineCount(file);
    if (count === 0 || count > maxLines || count > left) return false;
    left -= count;
    return true;
  });
}

/** The first lines of a file, in their hunks, and how many are left. */
export function firstLines(file: PatchedFile, maxLines: number): { hunks: Hunk[]; left: number } {
  let room = maxLines;
  const hunks = file.hunks.flatMap((hunk) => {
    const lines = hunk.lines.slice(0, room);
    room -= lines.length;
    return lines.length === 0 ? [] : [lines.length === hunk.lines.length ? hunk : { ...hunk, lines }];
  });
  return { hunks, left: Math.max(0, lineCount(file) - maxLines) };
}

/** Of a line that replaced another: from where to where it is another. */
export type Change = readonly [from: number, end: number];

/** By place in the hunk. As many added lines as were removed just before are taken for their replacements, if they have something in common. */
export function changesWithin(lines: readonly PatchLine[]): ReadonlyMap<number, Change> {
  const found = new Map<number, Change>();
  for (let at = 0; at < lines.length; ) {
    const removed = spanOf(lines, at, "removed");
    const added = spanOf(lines, at + removed, "added");
    if (removed > 0 && removed === added) {
      for (let i = 0; i < removed; i++) {
        const [before, after] = [lines[at + i]!.text, lines[at + removed + i]!.text];
        const shorter = Math.min(before.length, after.length);
        let head = 0;
        while (head < shorter && before[head] === after[head]) head++;
        let tail = 0;
        while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
        // No character is cut into halves.
        if (/[\ud800-\udbff]/.test(before[head - 1] ?? "")) head--;
        if (/[\udc00-\udfff]/.test(before[before.length - tail] ?? "")) tail--;
        // Two lines that hardly agree are two lines, and blanks are no agreement.
        const same = (before.slice(0, head) + before.slice(before.length - tail)).replace(/\s/g, "").length;
        if (same * 3 < Math.max(before.trim().length, after.trim().length)) continue;
        found.set(at + i, [head, before.length - tail]);
        found.set(at + removed + i, [head, after.length - tail]);
      }
    }
    at += Math.max(1, removed + added);
  }
  return found;
}

function spanOf(lines: readonly PatchLine[], from: number, kind: LineKind): number {
  let end = from;
  while (lines[end]?.kind === kind) end++;
  return end - from;
}
