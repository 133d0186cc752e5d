/** Numbers, sizes, durations and dates as text. */

import type { WireNumber } from "../api/shapes.ts";

/** The number that a JSON value stands for ("NaN", "Infinity" and "-Infinity" are strings there). */
export function numberOf(value: WireNumber): number {
  return typeof value === "number" ? value : Number(value);
}

export const MINUS = "\u2212";

/** A number short enough for a table cell: 4 significant digits, integers whole up to nine digits. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : `${MINUS}\u221e`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text: string;
  if (Number.isInteger(value) && size < 1e9) text = grouped(String(size));
  else if (size >= 1e6 || size < 1e-4) text = exponent(size, digits);
  else if (size >= 10 ** digits) text = grouped(size.toFixed(0));
  else text = trimmed(size.toPrecision(digits));
  return value < 0 ? MINUS + text : text;
}

const SMALL_CHARS = 7;

/** A number among others in a column: mostly 4 decimals, so that the digits of neighbours align; never wider than a column is. */
export function formatInColumn(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 1e-3) {
    const text = formatNumber(size);
    return `${value < 0 ? MINUS : ""}${text.length <= SMALL_CHARS ? text : exponent(size, 3)}`;
  }
  if (!Number.isFinite(value) || Number.isInteger(value) || size >= 1e6) return formatNumber(value);
  const decimals = size < 10 ? 4 : size < 100 ? 3 : size < 1000 ? 2 : 1;
  const [whole = "", fraction = ""] = size.toFixed(decimals).split(".");
  return `${value < 0 ? MINUS : ""}${grouped(whole)}.${fraction}`;
}

/** All the digits that tell this number from its neighbours. */
export function exactNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : formatNumber(value);
}

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A param as it was said, but for the noise of floats: whole numbers are often names (a year, a seed), so without commas. */
export function formatParam(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value).replace("-", MINUS);
  return formatNumber(value, 6).replaceAll(",", "");
}

function grouped(digits: string): string {
  return digits.length <= 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

function trimmed(text: string): string {
  return text.includes("e") ? text : text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function exponent(size: number, digits: number): string {
  const [mantissa = "", power = ""] = size.toExponential(digits - 1).split("e");
  return `${trimmed(mantissa)}e${power.replace("+", "").replace("-", MINUS)}`;
}

/** In powers of 1024, as the command line says them (`bytes_text` in wording.py): three digits, and no zeros behind the point. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= (unit === 0 ? 1024 : 1023.5) && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${bytes} bytes` : `${value < 100 ? Number(value.toPrecision(3)) : value.toFixed(0)} ${BYTE_UNITS[unit]}`;
}

export const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
/** The largest of BYTE_UNITS that is not above the number of bytes, as a power of 1024. */
export function bytePower(bytes: number): number {
  return Math.max(0, Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes || 1) / 10 + 1e-9)));
}

export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "";
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const all = Math.round(seconds);
  const s = all % 60;
  const m = Math.floor(all / 60) % 60;
  const h = Math.floor(all / 3600) % 24;
  const d = Math.floor(all / 86400);
  if (d > 0) return h > 0 ? `${d} d ${h} h` : `${d} d`;
  if (h > 0) return m > 0 ? `${h} h ${m} min` : `${h} h`;
  return s > 0 ? `${m} min ${s} s` : `${m} min`;
}

/** "3 min ago" for the last week, the date before that. */
export function formatAgo(iso: string, nowMs: number): string {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) return "";
  const seconds = (nowMs - then) / 1000;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
  return formatDate(iso, nowMs);
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** "12 Feb" this year, "12 Feb 2025" before. */
export function formatDate(iso: string, nowMs: number): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const day = `${date.getDate()} ${MONTHS[date.getMonth()] ?? ""}`;
  return date.getFullYear() === new Date(nowMs).getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** "2026-02-12 08:00:00", in this machine's time zone: for tooltips and details. */
export function formatTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const two = (n: number): string => String(n).padStart(2, "0");
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}
