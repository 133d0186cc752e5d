import { describe, expect, it } from "vitest";
import { decodeList, encodeQuery, matchRoute, to } from "./routes.ts";

describe("routes", () => {
  it("reads what it writes", () => {
    const odd = "a/b c%25,ü";
    expect(matchRoute(to.run(odd).split("?")[0] ?? "")).toEqual({ page: "run", runId: odd });
    expect(matchRoute(to.runs(odd).split("?")[0] ?? "")).toEqual({ page: "runs", experimentId: odd });
    expect(matchRoute(to.runs())).toEqual({ page: "runs", experimentId: null });
    expect(matchRoute("/compare")).toEqual({ page: "compare" });
    expect(matchRoute(to.models())).toEqual({ page: "models" });
    expect(matchRoute(to.model(odd))).toEqual({ page: "model", name: odd });
    expect(matchRoute(to.datasets())).toEqual({ page: "datasets" });
    for (const name of [odd, "data/Tést set?#", "a//../b", "100%"]) expect(matchRoute(new URL(to.dataset(name, "d/1 &"), "http://x").pathname)).toEqual({ page: "dataset", name });
    expect(new URL(to.dataset("a", "d/1 &"), "http://x").searchParams.get("digest")).toBe("d/1 &");
    expect(matchRoute(to.version(odd, 12))).toEqual({ page: "version", name: odd, version: 12 });
  });

  it("says so when there is no such page", () => {
    for (const path of ["/nope", "/runs/a/b", "/experiments", "/compare/x", "/models/a/0", "/models/a/b", "/models/a/1/b"]) expect(matchRoute(path)).toEqual({ page: "missing" });
    expect(matchRoute("/runs/%E0%A4%A")).toEqual({ page: "run", runId: "%E0%A4%A" });
  });

  it("keeps lists whole, whatever is in them", () => {
    const items = ["metrics.val/acc", "params.a,b", "50%", "%2C", "a b&c=d", "+"];
    const text = encodeQuery({ cols: items });
    expect(decodeList(new URLSearchParams(text).get("cols"))).toEqual(items);
  });

  it("leaves the address readable", () => {
    expect(encodeQuery({ sort: ["metrics.val/acc desc", "name"], q: "", no: null })).toBe("?sort=metrics.val/acc+desc,name");
  });
});
