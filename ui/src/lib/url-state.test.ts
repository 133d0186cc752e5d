import { beforeEach, expect, it } from "vitest";
import { followLinks, view } from "./url-state.svelte.ts";

beforeEach(() => view.go("/?tenant=acme"));

it("keeps what one sees in the address", () => {
  view.set({ q: "metrics.acc > 0.9", cols: ["params.lr", "metrics.a,b"], group: null, page: 2, logy: true });
  expect(location.search).toContain("tenant=acme");
  expect(view.text("q")).toBe("metrics.acc > 0.9");
  expect(view.list("cols")).toEqual(["params.lr", "metrics.a,b"]);
  expect(view.number("page", 0)).toBe(2);
  expect(view.flag("logy")).toBe(true);
  expect(view.has("group")).toBe(false);

  view.set({ q: "", cols: [] });
  expect(view.has("q")).toBe(false);
  expect(view.has("cols")).toBe(false);
  expect(view.number("page", 0)).toBe(2);
});

it("a list set again beside other changes stays a list", () => {
  view.set({ sel: ["a%2Cb", "c"] });
  view.set({ q: "x" });
  expect(view.list("sel")).toEqual(["a%2Cb", "c"]);
});

it("follows links within the page, and only these", () => {
  document.body.innerHTML = `<a id="in" href="/runs/abc"><b>run</b></a><a id="api" href="/api/v1/health">api</a>`;
  const click = (selector: string, init: MouseEventInit = {}): boolean => {
    const event = new MouseEvent("click", { bubbles: true, cancelable: true, ...init });
    document.querySelector(selector)?.addEventListener("click", (e) => followLinks(e as MouseEvent), { once: true });
    document.querySelector(selector)?.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(click("#in", { ctrlKey: true })).toBe(false);
  expect(click("#api")).toBe(false);
  expect(click("#in b")).toBe(true);
  expect(view.path).toBe("/runs/abc");
});
