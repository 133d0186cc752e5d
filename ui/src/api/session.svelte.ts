/** Who sits here: asked for before anything else, and again when the server lets nobody in any more. */

import { door, get, post, remove, setUsualTenant, tenant } from "./client.ts";
import { to } from "../lib/routes.ts";
import type { Role, SessionInfo } from "./shapes.ts";

const KEY = "lineal.tenant";
const OPEN: SessionInfo = { mode: "open" };

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is forbidden here: the first tenant does
  }
}

class Session {
  #info = $state.raw<SessionInfo | null>(null);
  /** True once somebody was signed in here and is not any more. */
  #ended = $state(false);

  constructor() {
    door.closed = () => void this.load();
  }

  /** Null until the server has answered. */
  get info(): SessionInfo | null {
    return this.#info;
  }

  get user(): string | null {
    return this.#info?.user ?? null;
  }

  get needsSignIn(): boolean {
    return this.#info?.mode === "sign_in" && this.user === null;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get tenants(): readonly string[] {
    return (this.#info?.tenants ?? []).map((one) => one.tenant);
  }

  roleIn(name: string | null): Role | null {
    return this.#info?.tenants?.find((one) => one.tenant === name)?.role ?? null;
  }

  /** Readers are shown nothing that the server would refuse them. */
  get mayWrite(): boolean {
    if (this.#info?.mode !== "sign_in") return true;
    const role = this.roleIn(tenant());
    return role !== null && role !== "reader";
  }

  /** Stages and aliases of models, and locks. */
  get mayApprove(): boolean {
    if (this.#info?.mode !== "sign_in") return true;
    const role = this.roleIn(tenant());
    return role === "approver" || role === "admin";
  }

  /** A server that does not answer is the page's to say: it is shown as if nobody had to sign in. */
  async load(): Promise<void> {
    try {
      this.#take(await get<SessionInfo>("/session"));
    } catch {
      this.#info ??= OPEN;
    }
  }

  /** Throws ApiError. */
  async signIn(user: string, password: string): Promise<void> {
    this.#take(await post<SessionInfo>("/session", { user, password }));
  }

  async signOut(): Promise<void> {
    await remove("/session");
    location.assign(to.runs(null, { tenant: null })); // with nothing left of what was seen
  }

  /** Everything the page knows is another tenant's, so it begins anew. */
  choose(name: string): void {
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // not remembered; the address says it
    }
    location.assign(to.runs(null, { tenant: name }));
  }

  #take(info: SessionInfo): void {
    const before = this.user;
    this.#ended = before !== null && info.user == null;
    this.#info = info;
    const names = this.tenants;
    const last = remembered();
    const named = tenant();
    if (named === null || names.length > 0) setUsualTenant(last !== null && names.includes(last) ? last : (names[0] ?? null));
  }
}

export const session = new Session();
