/** Metrics in sections by the part before the first "/", and searched by name. */

export interface Section {
  /** Empty: metrics without a "/". */
  name: string;
  metrics: string[];
}

/** Metrics without a "/" first, then the sections, all in natural order (loss_2 before loss_10); system metrics last. */
export function sectionsOf(metrics: Iterable<string>): Section[] {
  const byName = new Map<string, string[]>();
  for (const metric of new Set(metrics)) {
    const slash = metric.indexOf("/");
    const name = slash > 0 ? metric.slice(0, slash) : "";
    const list = byName.get(name);
    if (list) list.push(metric);
    else byName.set(name, [metric]);
  }
  const sections = [...byName].map(([name, list]) => ({ name, metrics: list.sort(natural.compare) }));
  return sections.sort((a, b) => rank(a.name) - rank(b.name) || natural.compare(a.name, b.name));
}

const natural = new Intl.Collator("en", { numeric: true });

function rank(name: string): number {
  if (name === "") return 0;
  return name === "system" ? 2 : 1;
}

export interface Matcher {
  matches: (metric: string) => boolean;
  /** Why the search cannot be used; it then matches everything. */
  error: string | null;
}

/** Words that must all occur (no case), or /a regular expression/ with optional flags. */
export function matcherOf(search: string): Matcher {
  const text = search.trim();
  const pattern = /^\/(.+)\/([ims]*)$/.exec(text);
  if (pattern) {
    try {
      const regex = new RegExp(pattern[1] ?? "", pattern[2]);
      return { matches: (metric) => regex.test(metric), error: null };
    } catch {
      return { matches: () => true, error: "This is not a regular expression." };
    }
  }
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return {
    matches: (metric) => {
      const name = metric.toLowerCase();
      return words.every((word) => name.includes(word));
    },
    error: null,
  };
}
