/** API path of a run's file; the slashes of its path stay. */
export function artifactPath(runId: string, path: string): string {
  return `/experiments/runs/${encodeURIComponent(runId)}/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`;
}
