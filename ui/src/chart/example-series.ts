/** Series made by hand, as the server would send them: for tests. */

import { decodeSeries, type Series } from "../api/series.ts";

export interface WireInput {
  run_id: string;
  name: string;
  labels?: Record<string, string>;
  exact: boolean;
  point_count: number;
  columns: Record<string, number[]>;
}

const UNSIGNED = new Set(["count", "nan_count"]);

export function encodeSeries(inputs: WireInput[]): ArrayBuffer {
  let offset = 0;
  const writes: { at: number; values: number[]; unsigned: boolean }[] = [];
  const series = inputs.map((input) => ({
    run_id: input.run_id,
    name: input.name,
    labels: input.labels ?? {},
    value_type: "float64",
    exact: input.exact,
    row_count: Object.values(input.columns)[0]?.length ?? 0,
    point_count: input.point_count,
    attempts: ["a1"],
    columns: Object.entries(input.columns).map(([name, values]) => {
      const unsigned = UNSIGNED.has(name);
      writes.push({ at: offset, values, unsigned });
      const column = { name, dtype: unsigned ? "u4" : "f8", offset };
      offset += Math.ceil((values.length * (unsigned ? 4 : 8)) / 8) * 8;
      return column;
    }),
  }));
  let header = new TextEncoder().encode(JSON.stringify({ series }));
  const padded = new Uint8Array(Math.ceil(header.length / 8) * 8).fill(0x20);
  padded.set(header);
  header = padded;
  const bytes = new ArrayBuffer(8 + header.length + offset);
  const view = new DataView(bytes);
  new Uint8Array(bytes).set(new TextEncoder().encode("LNS1"));
  view.setUint32(4, header.length, true);
  new Uint8Array(bytes, 8).set(header);
  for (const { at, values, unsigned } of writes) {
    const start = 8 + header.length + at;
    values.forEach((value, i) => {
      if (unsigned) view.setUint32(start + i * 4, value, true);
      else view.setFloat64(start + i * 8, value, true);
    });
  }
  return bytes;
}

export interface PointsInput {
  run?: string;
  name?: string;
  labels?: Record<string, string>;
  step: number[];
  value: number[];
  timeMs?: number[];
}

export function pointSeries(input: PointsInput): Series {
  const { run = "r1", name = "loss", labels = {}, step, value, timeMs = step.map((at) => 1000 * at) } = input;
  return decodeSeries(
    encodeSeries([{ run_id: run, name, labels, exact: true, point_count: value.length, columns: { step, time_ms: timeMs, value } }]),
  )[0]!;
}

/** Buckets of `width` consecutive points of these values, at steps 0, 1, 2 ... */
export function bucketSeries(values: number[], width: number, run = "r1"): Series {
  const columns: Record<string, number[]> = {
    step_min: [], step_max: [], time_min: [], time_max: [], first: [], last: [], min: [], max: [], count: [], nan_count: [],
  };
  for (let start = 0; start < values.length; start += width) {
    const part = values.slice(start, start + width);
    const real = part.filter((value) => !Number.isNaN(value));
    const end = start + part.length - 1;
    columns["step_min"]!.push(start);
    columns["step_max"]!.push(end);
    columns["time_min"]!.push(1000 * start);
    columns["time_max"]!.push(1000 * end);
    columns["first"]!.push(part[0]!);
    columns["last"]!.push(part.at(-1)!);
    columns["min"]!.push(real.length ? Math.min(...real) : Number.NaN);
    columns["max"]!.push(real.length ? Math.max(...real) : Number.NaN);
    columns["count"]!.push(part.length);
    columns["nan_count"]!.push(part.length - real.length);
  }
  return decodeSeries(encodeSeries([{ run_id: run, name: "loss", exact: false, point_count: values.length, columns }]))[0]!;
}
