/** What could stand at the cursor of a filter. It reads only as much of the language as that needs; the server checks. */

export type Place =
  | { expects: "field"; prefix: string; metricOnly: boolean }
  | { expects: "operator"; field: string; prefix: string }
  | { expects: "value"; field: string; prefix: string; quoted: boolean }
  | { expects: "joiner"; prefix: string; open: number }
  | { expects: "nothing" };

/** `from` to `to` is what a completion replaces: the word at the cursor. */
export interface Context {
  place: Place;
  from: number;
  to: number;
}

interface Token {
  kind: "word" | "text" | "symbol";
  text: string;
  start: number;
  end: number;
  closed: boolean;
}

const SYMBOL = /^(<=|>=|!=|==|<>|=~|!~|\^=|[=<>!^(),])/;
const FUNCTIONS = new Set(["last", "first", "min", "max", "mean", "count"]);

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? "";
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    const start = at;
    const symbol = SYMBOL.exec(text.slice(at))?.[0];
    if (symbol) {
      at += symbol.length;
      tokens.push({ kind: "symbol", text: symbol, start, end: at, closed: true });
    } else if (char === "'" || char === '"') {
      const { end, closed } = quoteEnd(text, at, char);
      at = end;
      tokens.push({ kind: "text", text: text.slice(start, at), start, end: at, closed });
    } else {
      // A word; a quoted name may be glued to it: metrics.`odd name`
      let closed = true;
      while (at < text.length && !/[\s'=<>!^(),]/.test(text[at] ?? "")) {
        const quote = text[at] ?? "";
        if (quote === "`" || quote === '"') ({ end: at, closed } = quoteEnd(text, at, quote));
        else at += 1;
      }
      tokens.push({ kind: "word", text: text.slice(start, at), start, end: at, closed });
    }
  }
  return tokens;
}

function quoteEnd(text: string, start: number, quote: string): { end: number; closed: boolean } {
  let at = start + 1;
  while (at < text.length) {
    if (text[at] === quote) {
      if (quote !== "`" && text[at + 1] === quote) at += 2;
      else return { end: at + 1, closed: true };
    } else at += 1;
  }
  return { end: text.length, closed: false };
}

type State =
  | { at: "field"; metricOnly: boolean }
  | { at: "operator"; field: string }
  | { at: "value"; field: string; then: "joiner" | "between" | "list" }
  | { at: "between"; field: string }
  | { at: "open-list"; field: string }
  | { at: "list-next"; field: string }
  | { at: "null" }
  | { at: "joiner" };

/** What the cursor's word is, from what stands before it. */
export function contextAt(text: string, cursor: number): Context {
  const tokens = tokensOf(text);
  const current = tokens.find(
    (one) => one.start < cursor && (cursor < one.end || (cursor === one.end && one.kind !== "symbol" && !(one.kind === "text" && one.closed))),
  );
  const { state, open } = stateAfter(tokens.filter((one) => one.end <= cursor && one !== current));
  const typed = current ? text.slice(current.start, cursor) : "";
  const from = current?.start ?? cursor;
  const to = current?.end ?? cursor;
  return { place: placeOf(state, typed, open), from, to };
}

/** Whether the text could be a filter as it stands; whoever is still typing need not be told that it is none yet. */
export function mayBeWhole(text: string): boolean {
  const tokens = tokensOf(text);
  const { state, open } = stateAfter(tokens);
  return tokens.every((one) => one.closed) && state.at === "joiner" && open === 0;
}

function stateAfter(tokens: readonly Token[]): { state: State; open: number } {
  let state: State = { at: "field", metricOnly: false };
  let open = 0;
  let functions = 0;
  for (const token of tokens) {
    const word = token.kind === "word" ? token.text.toLowerCase() : "";
    switch (state.at) {
      case "field":
        if (token.text === "(") {
          if (!state.metricOnly) open += 1;
        } else if (FUNCTIONS.has(word)) {
          state = { at: "field", metricOnly: true };
          functions += 1;
        } else if (word !== "not") state = { at: "operator", field: token.text };
        break;
      case "operator":
        if (token.text === ")" && functions > 0) functions -= 1;
        else if (word === "in") state = { at: "open-list", field: state.field };
        else if (word === "between") state = { at: "value", field: state.field, then: "between" };
        else if (word === "is") state = { at: "null" };
        else if (word !== "not") state = { at: "value", field: state.field, then: "joiner" };
        break;
      case "open-list":
        state = { at: "value", field: state.field, then: "list" };
        break;
      case "value":
        if (state.then === "list") state = { at: "list-next", field: state.field };
        else state = state.then === "between" ? { at: "between", field: state.field } : { at: "joiner" };
        break;
      case "between":
        state = { at: "value", field: state.field, then: "joiner" };
        break;
      case "list-next":
        state = token.text === ")" ? { at: "joiner" } : { at: "value", field: state.field, then: "list" };
        break;
      case "null":
        if (word !== "not") state = { at: "joiner" };
        break;
      case "joiner":
        if (token.text === ")") open = Math.max(0, open - 1);
        else state = { at: "field", metricOnly: false };
        break;
    }
  }
  return { state, open };
}

function placeOf(state: State, typed: string, open: number): Place {
  switch (state.at) {
    case "field":
      return { expects: "field", prefix: typed, metricOnly: state.metricOnly };
    case "operator":
      return { expects: "operator", field: state.field, prefix: typed };
    case "value": {
      const quoted = typed.startsWith("'") || typed.startsWith('"');
      return { expects: "value", field: state.field, prefix: quoted ? typed.slice(1) : typed, quoted };
    }
    case "joiner":
      return { expects: "joiner", prefix: typed, open };
    default:
      return { expects: "nothing" };
  }
}

export interface Operator {
  text: string;
  meaning: string;
}

const EQUAL: Operator[] = [
  { text: "=", meaning: "equals" },
  { text: "!=", meaning: "differs from" },
];
const ORDER: Operator[] = [
  { text: ">", meaning: "greater than" },
  { text: ">=", meaning: "at least" },
  { text: "<", meaning: "less than" },
  { text: "<=", meaning: "at most" },
  { text: "between", meaning: "from ... and ..." },
];
const TEXT: Operator[] = [
  { text: "in", meaning: "one of a list" },
  { text: "like", meaning: "with % and _ for any characters" },
  { text: "ilike", meaning: "like, whatever the case" },
  { text: "matches", meaning: "holds this regular expression" },
  { text: "^=", meaning: "starts with" },
];
const PRESENT: Operator[] = [
  { text: "is not null", meaning: "is there" },
  { text: "is null", meaning: "is not there" },
];
const NUMBERS = new Set(["start_time", "end_time", "duration", "created"]);
const TEXTS = new Set(["name", "status", "experiment", "experiment_id", "user_id", "run_id", "parent_run_id", "forked_from", "description"]);

/** The operators that make sense for a field, likeliest first. */
export function operatorsFor(field: string): Operator[] {
  if (/^metrics?\./i.test(field) || NUMBERS.has(field)) return [...ORDER, ...EQUAL, ...PRESENT];
  if (TEXTS.has(field) || /^tags?\./i.test(field)) return [...EQUAL, ...TEXT, ...PRESENT];
  return [...EQUAL, ...ORDER, ...TEXT, ...PRESENT];
}

/** A value as the language writes it: a number bare where the field may hold numbers, else in quotes. */
export function valueText(field: string, value: string): string {
  const number = value.trim() !== "" && Number.isFinite(Number(value)) && !/^0[xob]/i.test(value);
  return number && !TEXTS.has(field) ? value : `'${value.replaceAll("'", "''")}'`;
}

/** Plain words instead of a filter: whoever types them looks for a name. */
export function nameSearch(text: string): string | null {
  const words = text.trim();
  if (words === "" || /['"`=<>!()^,]/.test(words)) return null;
  if (/^(metrics?|params?|tags?|json|datasets?|git|attributes?)\./i.test(words)) return null;
  return `name ilike '%${words.replaceAll("'", "''")}%'`;
}

/** The server counts characters, the browser UTF-16 units. */
export function placeInText(text: string, position: number): number {
  return Array.from(text).slice(0, position).join("").length;
}

/** The piece to underline: the word at the place, or one cell behind the end. */
export function wordAt(text: string, start: number): { start: number; end: number } {
  const at = Math.min(start, text.length);
  const token = tokensOf(text).find((one) => one.start <= at && at < one.end);
  return token ? { start: at, end: token.end } : { start: at, end: at + 1 };
}

/** A filter that only lacks its end is not wrong while somebody is still typing there. */
export function isUnfinished(text: string, at: number, cursor: number): boolean {
  const end = text.trimEnd().length;
  if (at >= end) return true;
  return cursor >= wordAt(text, at).end && wordAt(text, at).end >= end;
}

const LONG = 80;

/** The server's message for a terminal, as one sentence for the page. */
export function errorSentence(detail: string): string {
  const [first = "", ...rest] = detail.split("\n");
  const said = first.replace(/^[^:]*position \d+: /, "");
  const caret = rest.findIndex((line) => /^\s*\^\s*$/.test(line));
  const hint = rest
    .slice(caret + 1)
    .join(" ")
    .trim();
  const sentence = said.charAt(0).toUpperCase() + said.slice(1);
  // A hint says it better than a list of all that could have stood there.
  const found = /, found (.+)$/.exec(said)?.[1];
  if (hint !== "" && caret >= 0 && found !== undefined && said.length > LONG) return `Not expected here: ${found} \u2013 ${hint}`;
  return hint && caret >= 0 ? `${sentence} \u2013 ${hint}` : sentence;
}
