/** The links that MLflow's client prints ("View run at SERVER/#/experiments/7/runs/ID"), and those of its pages' models, as addresses of this page. */

import { to } from "./routes.ts";

const DEFAULT_NUMBER = "0";

/** Where such a link leads; null for every other address. The part "/t/TENANT" before it chooses the tenant. */
export function translated(pathname: string, hash: string): string | null {
  const match = /^#\/(experiments|models)\/([^/?]+)(?:\/(?:runs|versions)\/([^/?]+))?/.exec(hash);
  if (match === null) return null;
  const [, kind, first = "", second] = match;
  const tenant = /\/t\/([^/]+)\/?$/.exec(pathname)?.[1];
  const query = tenant === undefined ? {} : { tenant: decoded(tenant) };
  if (kind === "models") return modelPage(decoded(first), second, query);
  if (second !== undefined) return to.run(decoded(second), query);
  return to.runs(experimentId(first), query);
}

/** A link that somebody typed may hold a "%" that means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function modelPage(name: string, version: string | undefined, query: Record<string, string>): string {
  return version !== undefined && /^[1-9][0-9]*$/.test(version) ? to.version(name, Number(version), query) : to.model(name, query);
}

/** MLflow's number of an experiment is its id, of 16 hexadecimal digits, in decimal; number 0 is "Default", shown among all. */
function experimentId(number: string): string | null {
  if (!/^[0-9]{1,20}$/.test(number) || number === DEFAULT_NUMBER) return null;
  return BigInt(number).toString(16).padStart(16, "0");
}
