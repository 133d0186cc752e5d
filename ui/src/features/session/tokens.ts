/** What the tokens page says of a token. */

import type { Role, SessionInfo, TokenInfo } from "../../api/shapes.ts";

export const ROLES: readonly Role[] = ["reader", "writer", "approver", "admin"];
export const LIVES: readonly { days: number; label: string }[] = [
  { days: 7, label: "A week" },
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "A year" },
];

export type TokenState = "live" | "ended" | "revoked";

export function stateOf(token: TokenInfo, now: Date): TokenState {
  if (token.revoked_at !== null) return "revoked";
  return new Date(token.expires_at) <= now ? "ended" : "live";
}

/** The roles that a token of this user can have: those of the best of their tenants, and below. */
export function rolesOf(info: SessionInfo): readonly Role[] {
  const best = Math.max(info.is_admin ? ROLES.length - 1 : 0, ...(info.tenants ?? []).map((one) => ROLES.indexOf(one.role)));
  return ROLES.slice(0, best + 1);
}

export function dayOf(time: string): string {
  return new Date(time).toLocaleDateString("en", { year: "numeric", month: "short", day: "numeric" });
}

/** To the hour, as the server knows it. */
export function usedText(token: TokenInfo, now: Date): string {
  if (token.used_at === null) return "never";
  const hours = Math.floor((now.getTime() - new Date(token.used_at).getTime()) / 3_600_000);
  if (hours < 2) return "lately";
  if (hours < 48) return `${hours} hours ago`;
  return dayOf(token.used_at);
}
