/** Where a dataset came from, in words. MLflow's clients describe it in JSON: an address, or the tags of the run's own source. */

const ADDRESSES = ["uri", "url", "path", "table_name", "delta_table_name"];
const COMMIT_CHARS = 10;

export function sourceText(source: string | null): string {
  const fields = source?.startsWith("{") ? parsed(source) : null;
  if (source === null || fields === null) return source ?? "";
  for (const name of ADDRESSES) {
    const address = fields[name];
    if (typeof address === "string" && address !== "") return address;
  }
  const tags = (fields["tags"] ?? {}) as Record<string, unknown>;
  const script = tags["mlflow.source.name"];
  const commit = tags["mlflow.source.git.commit"];
  if (typeof script !== "string" || script === "") return source;
  return typeof commit === "string" ? `${script} at ${commit.slice(0, COMMIT_CHARS)}` : script;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}
