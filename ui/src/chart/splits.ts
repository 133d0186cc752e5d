/** Where the ticks of an axis are. All are bounded by the room there is, whatever the interval. */

import { bytePower } from "../lib/format.ts";

/** Steps between ticks of a duration axis, in seconds. */
const DURATION_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600,
  43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 8_640_000,
];
const SPLITS_MAX_COUNT = 100;

/** Multiples of 1, 2, 2.5 or 5 times a power of ten; at most `room` steps lie between min and max. */
export function numberSplits(min: number, max: number, room: number): number[] {
  return splitsFrom((max - min) / Math.max(1, room), min, max);
}

/** As `numberSplits`, within the unit in which the ticks are written. */
export function bytesSplits(min: number, max: number, room: number): number[] {
  const unit = 1024 ** bytePower(Math.max(Math.abs(min), Math.abs(max)));
  return numberSplits(min / unit, max / unit, room).map((value) => value * unit);
}

/** Of steps: whole numbers, unless less than two of them are in sight. */
export function stepSplits(min: number, max: number, room: number): number[] {
  if (!(max - min >= 2)) return numberSplits(min, max, room);
  const splits = splitsFrom(Math.max(1, (max - min) / Math.max(1, room)), min, max);
  // The only multiples that are not whole: of 2.5.
  return splits.every(Number.isInteger) ? splits : multiples(min, max, 5);
}

function splitsFrom(least: number, min: number, max: number): number[] {
  if (!(least > 0) || !Number.isFinite(least)) return [];
  const power = 10 ** Math.floor(Math.log10(least));
  const mantissa = [1, 2, 2.5, 5, 10].find((one) => one * power >= least * (1 - 1e-9)) ?? 10;
  return multiples(min, max, Number((mantissa * power).toPrecision(3)));
}

/** Multiples of steps that clocks have. */
export function durationSplits(min: number, max: number, room: number): number[] {
  const least = (max - min) / Math.max(1, room);
  const step = DURATION_STEPS.find((one) => one >= least);
  return step === undefined || least < 0.0005 ? numberSplits(min, max, room) : multiples(min, max, step);
}

function multiples(min: number, max: number, step: number): number[] {
  if (!(step > 0)) return []; // finer than numbers can be
  const splits: number[] = [];
  const first = Math.ceil(min / step - 1e-9);
  for (let i = 0; i < SPLITS_MAX_COUNT; i += 1) {
    const value = Number(((first + i) * step).toPrecision(15));
    if (value > max + step * 1e-9) break;
    if (splits.length > 0 && value <= (splits.at(-1) as number)) break; // finer than the numbers themselves
    splits.push(value === 0 ? 0 : value);
  }
  return splits;
}

/** Digits times powers of ten: as many digits as there is room for, else every nth power; within one decade, plain multiples. */
export function logSplits(min: number, max: number, room: number): number[] {
  const [low, high] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  if (!(high >= low) || !Number.isFinite(high - low)) return [];
  for (const digits of [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5], [1, 3], [1]]) {
    if ((high - low) * digits.length > 12 * Math.max(1, room)) continue;
    const splits = powersOf(low, high, 1, digits).filter((value) => value >= min && value <= max);
    if (splits.length > room) continue;
    return splits.length >= 2 ? splits : numberSplits(min, max, room);
  }
  const every = Math.max(1, Math.ceil((high - low) / Math.max(1, room)));
  return powersOf(Math.ceil(low / every) * every, high, every, [1]).filter((value) => value >= min && value <= max);
}

function powersOf(low: number, high: number, every: number, digits: readonly number[]): number[] {
  const values: number[] = [];
  for (let power = low; power <= high; power += every) for (const digit of digits) values.push(Number(`${digit}e${power}`));
  return values;
}
