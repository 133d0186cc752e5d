import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, directUrl, get, isAbort, post } from "./client.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  history.replaceState(null, "", "/");
});

function answer(body: unknown, status = 200): ReturnType<typeof vi.fn> {
  const double = vi.fn(async () => new Response(JSON.stringify(body), { status }));
  vi.stubGlobal("fetch", double);
  return double;
}

describe("client", () => {
  it("asks for the tenant in the address", async () => {
    history.replaceState(null, "", "/?tenant=acme");
    const fetched = answer({ ok: true });
    await get("/runs/x", { limit: 5, filter: "", kind: undefined });
    const [url, init] = fetched.mock.calls[0] as [string, RequestInit];
    expect(url).toBe("/api/v1/runs/x?limit=5");
    expect((init.headers as Record<string, string>)["X-Tenant-ID"]).toBe("acme");
    expect(directUrl("/live", { after: 3 })).toBe("/t/acme/api/v1/live?after=3");
  });

  it("turns a problem into an error that knows the place", async () => {
    answer({ title: "Bad", status: 400, detail: "no operator", code: "invalid-input", field: "filter", position: 7, expected: "= or <" }, 400);
    const error = await post("/filter/check", { filter: "x" }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, code: "invalid-input", detail: "no operator", field: "filter", position: 7, expected: "= or <" });
  });

  it("says so when nobody answers, and passes an abort on", async () => {
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("refused")));
    await expect(get("/health")).rejects.toMatchObject({ status: 0, code: "unreachable" });
    vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new DOMException("stop", "AbortError")));
    expect(isAbort(await get("/health").catch((e: unknown) => e))).toBe(true);
  });

  it("survives an error that is not JSON", async () => {
    vi.stubGlobal("fetch", vi.fn(async () => new Response("<html>", { status: 502, statusText: "Bad Gateway" })));
    await expect(get("/health")).rejects.toMatchObject({ status: 502, detail: "Bad Gateway" });
  });
});
