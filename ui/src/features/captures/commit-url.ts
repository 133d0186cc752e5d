/** Where a commit can be looked at in a browser, for hosts whose addresses are known; null for all others. */
export function commitUrl(remote: string | null, commit: string | null): string | null {
  if (remote === null || commit === null || !/^[0-9a-f]{7,64}$/.test(commit)) return null;
  const found = /^(?:https?:\/\/|ssh:\/\/(?:[\w.-]+@)?|[\w.-]+@)(github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)(?::\d+\/|[:/])([\w.-]+(?:\/[\w.-]+)+)\/?$/.exec(remote.replace(/\.git\/?$/, ""));
  if (found === null) return null;
  const [, host = "", path = ""] = found;
  const part = host === "gitlab.com" ? "-/commit" : host === "bitbucket.org" ? "commits" : "commit";
  return `https://${host}/${path}/${part}/${commit}`;
}
