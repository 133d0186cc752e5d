/** A line as it is drawn. */

// CSI sequences (colours, cursor) and OSC ones (titles, links), as ECMA-48 defines them.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

export function plainText(text: string): string {
  return text.includes("\x1b") ? text.replace(ESCAPES, "") : text;
}

export interface Part {
  text: string;
  isHit: boolean;
}

/** Cut where the words that were searched for stand, whatever their case. */
export function partsOf(text: string, search: string): Part[] {
  if (search === "") return [{ text, isHit: false }];
  const parts: Part[] = [];
  const [lower, wanted] = [text.toLowerCase(), search.toLowerCase()];
  // Where lower case has another length, places would not fit.
  if (lower.length !== text.length) return [{ text, isHit: false }];
  let at = 0;
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    if (found > at) parts.push({ text: text.slice(at, found), isHit: false });
    parts.push({ text: text.slice(found, found + wanted.length), isHit: true });
    at = found + wanted.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isHit: false });
  return parts;
}

/** Time of day with ms, as the log lines of servers have it. */
export function clockText(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}
