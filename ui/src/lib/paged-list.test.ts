import { afterEach, describe, expect, it, vi } from "vitest";
import { PagedList } from "./paged-list.svelte.ts";

interface Answer {
  names: string[];
  next_page_token?: string | null;
}
const asked: URL[] = [];
let answers: (Answer | Promise<Answer> | number)[] = [];

function serve(...given: (Answer | Promise<Answer> | number)[]): PagedList<Answer, string> {
  asked.length = 0;
  answers = given;
  vi.stubGlobal("fetch", async (url: string) => {
    asked.push(new URL(url, "http://localhost"));
    const answer = await answers.shift();
    if (typeof answer === "number") return new Response(JSON.stringify({ title: "Bad", detail: "the disk refuses", status: answer }), { status: answer });
    return new Response(JSON.stringify(answer), { status: 200 });
  });
  return new PagedList<Answer, string>("/things", (answer) => answer.names);
}
afterEach(() => vi.unstubAllGlobals());

describe("a list in pages", () => {
  it("is continued where it ended", async () => {
    const list = serve({ names: ["a"], next_page_token: "t1" }, { names: ["b"] });
    expect(list.rows).toBeNull();
    list.read({ search: "x" });
    await expect.poll(() => list.rows).toEqual(["a"]);
    expect(list.hasMore).toBe(true);
    await list.more({ search: "x" });
    expect(list.rows).toEqual(["a", "b"]);
    expect(list.hasMore).toBe(false);
    expect(asked.map((url) => url.searchParams.get("page_token"))).toEqual([null, "t1"]);
    expect(asked.map((url) => url.searchParams.get("search"))).toEqual(["x", "x"]);
  });

  it("is read again as long as it was", async () => {
    const names = Array.from({ length: 250 }, (_, n) => `n${n}`);
    const list = serve({ names }, { names });
    list.read({});
    await expect.poll(() => list.rows?.length).toBe(250);
    list.read({});
    await expect.poll(() => asked.length).toBe(2);
    expect(asked.map((url) => url.searchParams.get("limit"))).toEqual(["100", "250"]);
  });

  it("leaves out a page of the list that it no longer is", async () => {
    let resolve!: (answer: Answer) => void;
    const late = new Promise<Answer>((done) => (resolve = done));
    const list = serve({ names: ["a"], next_page_token: "t1" }, late, { names: ["z"] });
    list.read({});
    await expect.poll(() => list.rows).toEqual(["a"]);
    const more = list.more({});
    list.read({ search: "z" });
    await expect.poll(() => list.rows?.at(-1)).toBe("z");
    resolve({ names: ["late"] });
    await more;
    expect(list.rows).toEqual(["z"]);
  });

  it("says what went wrong, and forgets it with the next answer", async () => {
    const list = serve(500, { names: [], next_page_token: "t" }, 500);
    list.read({});
    await expect.poll(() => list.problem).toContain("the disk refuses");
    list.read({});
    await expect.poll(() => list.problem).toBeNull();
    await list.more({});
    expect(list.problem).toContain("the disk refuses");
  });
});
