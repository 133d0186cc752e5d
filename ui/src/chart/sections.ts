/** Metrics in sections by the part before the first "/", and searched by name. */

export interface Section {
  /** Empty: metrics without a "/". */
  name: string;
  metrics: string[];
  /** Chosen to come first, whatever their names. */
  isPinned?: boolean;
}

/** Sections in the order of an experiment, metrics in natural order (loss_2 before loss_10); pinned ones before them, as pinned. */
export function sectionsOf(metrics: Iterable<string>, pins: readonly string[] = []): Section[] {
  const rest = new Set(metrics);
  const pinned = pins.filter((metric) => rest.delete(metric));
  const byName = new Map<string, string[]>();
  for (const metric of rest) {
    const slash = metric.indexOf("/");
    const name = slash > 0 ? metric.slice(0, slash) : "";
    const list = byName.get(name);
    if (list) list.push(metric);
    else byName.set(name, [metric]);
  }
  const sections = [...byName].map(([name, list]) => ({ name, metrics: list.sort(natural.compare) }));
  sections.sort((a, b) => rank(a.name) - rank(b.name) || natural.compare(a.name, b.name));
  return pinned.length > 0 ? [{ name: "Pinned", metrics: pinned, isPinned: true }, ...sections] : sections;
}

const natural = new Intl.Collator("en", { numeric: true });

const ORDER = [[""], ["train", "training"], ["val", "valid", "validation", "dev", "eval"], null, ["test"], ["final", "best", "summary"], ["system"]];

/** What is watched while training comes first, what is logged once at the end later, the machine last. */
function rank(name: string): number {
  const place = ORDER.findIndex((names) => names?.includes(name.toLowerCase()));
  return place < 0 ? ORDER.indexOf(null) : place;
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
