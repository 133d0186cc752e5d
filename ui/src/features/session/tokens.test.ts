import { expect, it } from "vitest";
import type { TokenInfo } from "../../api/shapes.ts";
import { rolesOf, stateOf, usedText } from "./tokens.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const TOKEN: TokenInfo = {
  token_id: "0123456789ab",
  user: "ada",
  name: "laptop",
  role: "writer",
  tenants: null,
  created_at: "2026-02-01T00:00:00.000Z",
  expires_at: "2026-04-01T00:00:00.000Z",
  revoked_at: null,
  used_at: null,
};

it("says whether a token counts", () => {
  expect(stateOf(TOKEN, NOW)).toBe("live");
  expect(stateOf({ ...TOKEN, expires_at: NOW.toISOString() }, NOW)).toBe("ended");
  expect(stateOf({ ...TOKEN, revoked_at: "2026-02-02T00:00:00.000Z" }, NOW)).toBe("revoked");
});

it("says when a token was used, no finer than the server knows", () => {
  expect(usedText(TOKEN, NOW)).toBe("never");
  expect(usedText({ ...TOKEN, used_at: "2026-03-01T11:00:00.000Z" }, NOW)).toBe("lately");
  expect(usedText({ ...TOKEN, used_at: "2026-03-01T02:00:00.000Z" }, NOW)).toBe("10 hours ago");
  expect(usedText({ ...TOKEN, used_at: "2026-02-11T02:00:00.000Z" }, NOW)).toMatch(/Feb 1[01], 2026/);
});

it("offers no role that the user has nowhere", () => {
  const info = { mode: "sign_in", user: "ada" } as const;
  expect(rolesOf({ ...info, tenants: [{ tenant: "a", role: "reader" }, { tenant: "b", role: "writer" }] })).toEqual(["reader", "writer"]);
  expect(rolesOf({ ...info, is_admin: true })).toEqual(["reader", "writer", "approver", "admin"]);
  expect(rolesOf(info)).toEqual(["reader"]);
});
