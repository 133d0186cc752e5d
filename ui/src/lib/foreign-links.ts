/** The links that MLflow's client prints ("View run at SERVER/#/experiments/7/runs/ID"), as addresses of this page. */

import { to } from "./routes.ts";

const DEFAULT_NUMBER = "0";

/** Where such a link leads; null for every other address. The part "/t/TENANT" before it chooses the tenant. */
export function translated(pathname: string, hash: string): string | null {
  const match = /^#\/(experiments|models)\/([^/?]+)(?:\/(?:runs|versions)\/([^/?]+))?/.exec(hash);
  if (match === null) return null;
  const [, kind, first = "", second] = match;
  if (kind !== "experiments") return null;
  const tenant = /\/t\/([^/]+)\/?$/.exec(pathname)?.[1];
  const query = tenant === undefined ? {} : { tenant: decodeURIComponent(tenant) };
  if (second !== undefined) return to.run(decodeURIComponent(second), query);
  return to.runs(experimentId(first), query);
}

/** MLflow's number of an experiment is its id, of 16 hexadecimal digits, in decimal; number 0 is "Default", shown among all. */
function experimentId(number: string): string | null {
  if (!/^[0-9]{1,20}$/.test(number) || number === DEFAULT_NUMBER) return null;
  return BigInt(number).toString(16).padStart(16, "0");
}
