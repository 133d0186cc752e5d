// What somebody types into a search for a run, as a filter of the query language.

/** Part of the name, in any case, or the beginning of the id. "" finds all. */
export function nameFilter(text: string): string {
  if (text === "") return "";
  const quoted = text.replaceAll("'", "''");
  // % and _ stand for anything in a pattern: a name with one in it is found all the same.
  const byName = `name ilike '%${quoted}%'`;
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(text) ? `(${byName} or run_id ^= '${quoted}')` : byName;
}
