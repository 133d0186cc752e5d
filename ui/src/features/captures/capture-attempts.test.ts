import { expect, test } from "vitest";
import { capturedAttempts, codeText, disagreements, fileQuery } from "./capture-attempts.ts";

const rows = [
  { attempt_id: "c", part: "code", content: { kind: "git", commit: "2".repeat(40), digest: "d2" } },
  { attempt_id: "c", part: "execution", content: { command: ["python", "train.py", "--resume"], host: "b" } },
  { attempt_id: "c", part: "hardware", content: { cpu: { count: 8 } } },
  { attempt_id: "b", part: "resources", content: { wall_s: 3 } },
  { attempt_id: "a", part: "code", content: { kind: "git", commit: "1".repeat(40), digest: "d1", is_dirty: true } },
  { attempt_id: "a", part: "execution", content: { command: ["python", "train.py"], host: "a" } },
  { attempt_id: "", part: "resources.rank-1", content: { wall_s: 3 } },
  { attempt_id: "b", part: "resources.rank-1.w", content: { wall_s: 3 } },
];

test("attempts that recorded how they ran, and in what they do not agree", () => {
  const found = capturedAttempts(rows, ["a", "b", "c"]);
  expect(found.map((one) => [one.attemptId, one.number, one.isLatest])).toEqual([
    ["a", 1, false],
    ["c", 3, true],
  ]);
  expect(found.map((one) => codeText(one.captures.code!))).toEqual(["1111111111 with changes", "2222222222"]);
  // Only one of them recorded its machine.
  expect(disagreements(found)).toEqual(["code", "command"]);
  expect(disagreements(found.slice(0, 1))).toEqual([]);
  expect(capturedAttempts([], ["a"])).toEqual([]);
});

test("a file is the version that its attempt kept", () => {
  const artifacts = [
    { path: "p", digest: "new", version: 2 },
    { path: "p", digest: "old", version: 1 },
  ];
  expect(fileQuery({ path: "p", digest: "old", sizeBytes: 1 }, artifacts)).toEqual({ version: 1 });
  expect(fileQuery({ path: "p", digest: "other", sizeBytes: 1 }, artifacts)).toEqual({});
  expect(fileQuery({ path: "p", digest: null, sizeBytes: 1 }, artifacts)).toEqual({});
});
