import { expect, test } from "vitest";
import { commitUrl } from "./commit-url.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

test.each([
  ["https://github.com/a/b.git", `https://github.com/a/b/commit/${COMMIT}`],
  ["git@github.com:a/b.git", `https://github.com/a/b/commit/${COMMIT}`],
  ["ssh://git@gitlab.com/group/sub/b", `https://gitlab.com/group/sub/b/-/commit/${COMMIT}`],
  ["git@bitbucket.org:a/b", `https://bitbucket.org/a/b/commits/${COMMIT}`],
  ["https://git.example.com/a/b.git", null],
  ["https://github.com.evil.example/a/b", null],
  ["javascript:alert(1)//github.com/a/b", null],
  ["/home/me/repository", null],
])("%s", (remote, url) => {
  expect(commitUrl(remote, COMMIT)).toBe(url);
});

test("what is no commit leads nowhere", () => {
  expect(commitUrl("https://github.com/a/b", "main?x")).toBeNull();
  expect(commitUrl(null, COMMIT)).toBeNull();
});
