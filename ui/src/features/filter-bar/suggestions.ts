/** The list below the filter: what could stand at the cursor, with what the server knows. */

import { namesLike, rankNames, valuesOf } from "../../api/field-names.ts";
import type { FieldKind } from "../../api/shapes.ts";
import { fieldText } from "../runs-table/columns.ts";
import { nameSearch, operatorsFor, valueText, type Context } from "./completion.ts";
import { recentFilters } from "./recent.ts";

export interface Suggestion {
  label: string;
  /** What kind of thing it is, or what it means. */
  detail: string;
  from: number;
  to: number;
  insert: string;
  group: string;
}

const MAX_SHOWN = 12;
const STATUSES = ["finished", "running", "failed", "killed", "lost"];
const ATTRIBUTES: Record<string, string> = {
  status: "running, finished, failed, killed, lost",
  name: "of the run",
  experiment: "its name",
  start_time: "'2026-01-31' or '2026-01-31T08:00'",
  duration: "in milliseconds",
  user_id: "who ran it",
  run_id: "",
  parent_run_id: "",
  end_time: "",
  description: "",
};
const KINDS: { kind: FieldKind & ("metric" | "param" | "tag" | "json"); prefix: string; about: string }[] = [
  { kind: "metric", prefix: "metrics.", about: "last value of a metric" },
  { kind: "param", prefix: "params.", about: "a value that went in" },
  { kind: "tag", prefix: "tags.", about: "a tag" },
  { kind: "json", prefix: "json.", about: "a place in a document" },
];

export async function suggestionsFor(text: string, context: Context, signal: AbortSignal): Promise<Suggestion[]> {
  const { place, from, to } = context;
  const make = (group: string) => (label: string, insert: string, detail = ""): Suggestion => ({ label, detail, from, to, insert, group });
  switch (place.expects) {
    case "field": {
      const recent = text.trim() === "" ? recentFilters().map((one) => ({ label: one, detail: "", from: 0, to: text.length, insert: one, group: "Recent" })) : [];
      const fields = (await fieldSuggestions(place.prefix, place.metricOnly, make("Fields"))).slice(0, MAX_SHOWN);
      return [...recent, ...fields, ...wordsSuggestion(text)];
    }
    case "operator": {
      const typed = place.prefix.toLowerCase();
      return [
        ...operatorsFor(place.field)
          .filter((one) => one.text.startsWith(typed))
          .map((one) => make("Operators")(one.text, one.text === "in" ? "in (" : `${one.text} `, one.meaning)),
        ...wordsSuggestion(text),
      ];
    }
    case "value":
      return valueSuggestions(place.field, place.prefix, make("Values"), signal);
    case "joiner": {
      const typed = place.prefix.toLowerCase();
      const words = [...(place.open > 0 ? [")"] : []), "and", "or"].filter((one) => one.startsWith(typed));
      return words.map((one) => make("Then")(one, `${one} `, one === ")" ? "" : `another condition`));
    }
    default:
      return [];
  }
}

function wordsSuggestion(text: string): Suggestion[] {
  const filter = nameSearch(text);
  if (filter === null || Object.hasOwn(ATTRIBUTES, text.trim())) return [];
  return [{ label: `Name contains \u201c${text.trim()}\u201d`, detail: "", from: 0, to: text.length, insert: filter, group: "Search" }];
}

async function fieldSuggestions(prefix: string, metricOnly: boolean, make: (label: string, insert: string, detail?: string) => Suggestion): Promise<Suggestion[]> {
  const kinds = metricOnly ? KINDS.slice(0, 1) : KINDS;
  const named = kinds.find((one) => prefix.toLowerCase().startsWith(one.prefix));
  if (named) {
    const names = await namesLike(named.kind, prefix.slice(named.prefix.length).replace(/^[`"]/, ""));
    return names.map((name) => fieldText(named.kind, name)).map((field) => make(field, `${field}${metricOnly ? "" : " "}`, named.kind));
  }
  const attributes = metricOnly ? [] : rankNames(Object.keys(ATTRIBUTES), prefix).map((name) => make(name, `${name} `, ATTRIBUTES[name]));
  const prefixes = kinds.filter((one) => one.prefix.startsWith(prefix.toLowerCase())).map((one) => make(one.prefix, one.prefix, one.about));
  if (prefix === "") return [...attributes.slice(0, 4), ...prefixes, ...attributes.slice(4)];
  const names = await Promise.all(
    kinds.map(async ({ kind }) => (await namesLike(kind, prefix)).slice(0, 6).map((name) => fieldText(kind, name)).map((field) => make(field, `${field}${metricOnly ? "" : " "}`, kind))),
  );
  return [...prefixes, ...attributes, ...names.flat()];
}

async function valueSuggestions(field: string, prefix: string, make: (label: string, insert: string, detail?: string) => Suggestion, signal: AbortSignal): Promise<Suggestion[]> {
  if (/^metrics?\./i.test(field) || field === "duration") return [];
  if (field === "status") return rankNames(STATUSES, prefix).map((one) => make(one, `'${one}' `));
  if (field === "start_time" || field === "end_time") return daySuggestions(prefix, make);
  const values = await valuesOf(field, prefix, MAX_SHOWN, signal);
  return values.map((value) => make(value, `${valueText(field, value)} `));
}

function daySuggestions(prefix: string, make: (label: string, insert: string, detail?: string) => Suggestion): Suggestion[] {
  if (prefix !== "") return [];
  const day = (back: number): string => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  return [
    { days: 0, about: "today" },
    { days: 1, about: "yesterday" },
    { days: 7, about: "a week ago" },
    { days: 30, about: "30 days ago" },
  ].map(({ days, about }) => make(day(days), `'${day(days)}' `, about));
}
