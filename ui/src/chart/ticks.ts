/** Texts of axis ticks: all ticks of an axis share their decimals and their unit. */

import { BYTE_UNITS, bytePower, MINUS } from "../lib/format.ts";

type Splits = readonly (number | null | undefined)[];

/** null stays an empty text: a tick without one. */
export function numberTicks(splits: Splits): string[] {
  const values = splits.filter((value): value is number => typeof value === "number");
  const largest = Math.max(0, ...values.map(Math.abs));
  const step = smallestStep(values);
  const write = largest === 0 ? plain(0) : largest >= 1e15 || largest < 1e-4 ? exponent(step) : compact(largest, step);
  return splits.map((value) => (typeof value === "number" ? minus(write(value)) : ""));
}

/** Numbers of bytes: one unit for all of them, powers of 1024 as in the tables. */
export function bytesTicks(splits: Splits): string[] {
  const values = splits.filter((value): value is number => typeof value === "number");
  const largest = Math.max(0, ...values.map(Math.abs));
  const power = bytePower(largest);
  const step = smallestStep(values) / 1024 ** power;
  const decimals = Math.min(decimalsOf(Number(step.toPrecision(9))), Math.max(0, Math.ceil(-Math.log10(step))) + 1);
  return splits.map((value) => (typeof value === "number" ? minus(value === 0 ? "0" : `${(value / 1024 ** power).toFixed(decimals)} ${BYTE_UNITS[power]}`) : ""));
}

/** Ticks of a log axis: each for itself, since a shared number of decimals would fit none; unless they lie close together. */
export function logTicks(splits: Splits): string[] {
  const values = splits.filter((value): value is number => typeof value === "number");
  if (Math.max(...values) < 2 * Math.min(...values)) return numberTicks(splits);
  return splits.map((value) => {
    if (typeof value !== "number") return "";
    if (value >= 1e5 || value < 1e-3) return minus(value.toExponential(0).replace("e+", "e"));
    return String(Number(value.toPrecision(3)));
  });
}

export function durationTicks(splits: Splits): string[] {
  const values = splits.filter((value): value is number => typeof value === "number");
  const step = smallestStep(values);
  return splits.map((value) => (typeof value === "number" ? minus(duration(value, step)) : ""));
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Wall times in this machine's time zone; what the ticks do not say themselves stands below the first one and where it changes. */
export function timeTicks(splits: Splits, stepMs: number): string[] {
  let before = "";
  return splits.map((value) => {
    if (typeof value !== "number") return "";
    const at = new Date(value);
    const day = `${at.getDate()} ${MONTHS[at.getMonth()]}`;
    const minute = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
    const [text, below] =
      stepMs >= DAY_MS
        ? [day, String(at.getFullYear())]
        : stepMs >= MINUTE_MS
          ? [minute, day]
          : stepMs >= SECOND_MS
            ? [`${minute}:${pad(at.getSeconds())}`, day]
            : [`:${pad(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`, `${day} ${minute}`];
    const isSame = below === before;
    before = below;
    return isSame ? text : `${text}\n${below}`;
  });
}

function duration(seconds: number, step: number): string {
  if (seconds === 0) return "0";
  const size = Math.abs(seconds);
  const sign = seconds < 0 ? "-" : "";
  if (step >= 86_400) return `${sign}${trim(size / 86_400, 1)} d`;
  if (step >= 3600) return `${sign}${trim(size / 3600, 1)} h`;
  if (step >= 60) return size >= 3600 ? `${sign}${Math.floor(size / 3600)}h${pad((size % 3600) / 60)}` : `${sign}${trim(size / 60, 1)} min`;
  if (step >= 1) return size >= 60 ? `${sign}${Math.floor(size / 60)}:${pad(size % 60)}` : `${sign}${trim(size, 0)} s`;
  return step >= 0.01 ? `${sign}${size.toFixed(decimalsOf(step))} s` : `${sign}${trim(size * 1000, 1)} ms`;
}

function pad(value: number): string {
  return String(Math.round(value)).padStart(2, "0");
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

const plain =
  (decimals: number) =>
  (value: number): string =>
    value.toFixed(decimals);

function exponent(step: number): (value: number) => string {
  return (value) => {
    if (value === 0) return "0";
    const power = Math.floor(Math.log10(Math.abs(value)));
    const digits = Math.min(15, Math.max(0, power - Math.floor(Math.log10(step) + 1e-9)));
    return value.toExponential(digits).replace("e+", "e");
  };
}

/** k and M are read at a glance; what is larger is written as the table writes it. */
function compact(largest: number, step: number): (value: number) => string {
  for (const [size, unit] of [[1e12, "e12"], [1e9, "e9"], [1e6, "M"], [1e3, "k"]] as const) {
    if (largest < (size === 1e3 ? 1e4 : size) || step < size / 1000) continue;
    const decimals = decimalsOf(step / size);
    return (value) => (value === 0 ? "0" : `${(value / size).toFixed(decimals)}${unit}`);
  }
  return plain(decimalsOf(step));
}

/** How many decimals a multiple of `step` needs: 0.25 needs 2. */
function decimalsOf(step: number): number {
  if (!(step > 0)) return 0;
  for (let decimals = 0; decimals < 15; decimals += 1) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return decimals;
  }
  return 15;
}

function smallestStep(values: readonly number[]): number {
  let step = Infinity;
  for (let i = 1; i < values.length; i += 1) step = Math.min(step, Math.abs((values[i] as number) - (values[i - 1] as number)));
  if (step === Infinity) return Math.abs(values[0] ?? 0) || 1;
  return Number(step.toPrecision(9));
}

function minus(text: string): string {
  return text.replaceAll("-", MINUS);
}
