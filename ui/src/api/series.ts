/** The bytes of POST /runs/series: "LNS1", uint32 length of the header, the header (JSON), columns. Little endian, columns at multiples of 8. */

export const SERIES_TYPE = "application/vnd.lineal.series";

export type Labels = Readonly<Record<string, string>>;

interface SeriesHead {
  runId: string;
  name: string;
  labels: Labels;
  valueType: string;
  /** Points behind the rows. */
  pointCount: number;
  attempts: readonly string[];
}

/** Every row is a point. */
export interface ExactSeries extends SeriesHead {
  exact: true;
  step: Float64Array;
  timeMs: Float64Array;
  value: Float64Array;
}

/** Every row is a bucket: `count` consecutive points summed up; NaN is left out of min and max. */
export interface BucketSeries extends SeriesHead {
  exact: false;
  stepMin: Float64Array;
  stepMax: Float64Array;
  timeMin: Float64Array;
  timeMax: Float64Array;
  first: Float64Array;
  last: Float64Array;
  min: Float64Array;
  max: Float64Array;
  count: Uint32Array;
  nanCount: Uint32Array;
}

export type Series = ExactSeries | BucketSeries;

export class SeriesFormatError extends Error {
  override readonly name = "SeriesFormatError";
}

interface WireColumn {
  name: string;
  dtype: string;
  offset: number;
}

interface WireSeries {
  run_id: string;
  name: string;
  labels?: Record<string, string>;
  value_type: string;
  exact: boolean;
  row_count: number;
  point_count: number;
  attempts?: string[];
  columns: WireColumn[];
}

type Column = Float64Array | Uint32Array | Int32Array;

const MAGIC = 0x31534e4c; // "LNS1"
const BYTES: Record<string, number> = { f8: 8, u4: 4, i4: 4 };

/** Views into `bytes`, nothing is copied. SeriesFormatError if they are not what they say. */
export function decodeSeries(bytes: ArrayBuffer): Series[] {
  if (bytes.byteLength < 8) throw new SeriesFormatError(`${bytes.byteLength} bytes are no series`);
  const view = new DataView(bytes);
  if (view.getUint32(0, true) !== MAGIC) throw new SeriesFormatError("the answer does not begin with LNS1");
  const body = 8 + view.getUint32(4, true);
  if (body > bytes.byteLength || body % 8 !== 0) throw new SeriesFormatError("the header does not fit the answer");
  let header: { series: WireSeries[] };
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(bytes, 8, body - 8))) as { series: WireSeries[] };
  } catch (cause) {
    throw new SeriesFormatError("the header is no JSON", { cause });
  }
  return header.series.map((one) => seriesOf(bytes, body, one));
}

function seriesOf(bytes: ArrayBuffer, body: number, wire: WireSeries): Series {
  const columns = new Map(wire.columns.map((column) => [column.name, columnOf(bytes, body, column, wire.row_count)]));
  const f8 = (name: string): Float64Array => {
    const column = columns.get(name);
    if (!(column instanceof Float64Array)) throw new SeriesFormatError(`${wire.name}: no column ${name} of f8`);
    return column;
  };
  const u4 = (name: string): Uint32Array => {
    const column = columns.get(name);
    if (!(column instanceof Uint32Array)) throw new SeriesFormatError(`${wire.name}: no column ${name} of u4`);
    return column;
  };
  const head: SeriesHead = {
    runId: wire.run_id,
    name: wire.name,
    labels: wire.labels ?? {},
    valueType: wire.value_type,
    pointCount: wire.point_count,
    attempts: wire.attempts ?? [],
  };
  if (wire.exact) return { ...head, exact: true, step: f8("step"), timeMs: f8("time_ms"), value: f8("value") };
  return {
    ...head,
    exact: false,
    stepMin: f8("step_min"),
    stepMax: f8("step_max"),
    timeMin: f8("time_min"),
    timeMax: f8("time_max"),
    first: f8("first"),
    last: f8("last"),
    min: f8("min"),
    max: f8("max"),
    count: u4("count"),
    nanCount: u4("nan_count"),
  };
}

function columnOf(bytes: ArrayBuffer, body: number, column: WireColumn, rows: number): Column {
  const size = BYTES[column.dtype];
  const start = body + column.offset;
  if (size === undefined) throw new SeriesFormatError(`column ${column.name} has the unknown type ${column.dtype}`);
  if (column.offset % 8 !== 0 || column.offset < 0 || start + rows * size > bytes.byteLength) {
    throw new SeriesFormatError(`column ${column.name} lies outside the answer`);
  }
  if (column.dtype === "f8") return new Float64Array(bytes, start, rows);
  if (column.dtype === "u4") return new Uint32Array(bytes, start, rows);
  return new Int32Array(bytes, start, rows);
}

/** The step of every point, or of the last point of every bucket. */
export function lastSteps(series: Series): Float64Array {
  return series.exact ? series.step : series.stepMax;
}

export function rowCount(series: Series): number {
  return series.exact ? series.value.length : series.last.length;
}

/** What the series takes in memory. */
export function bytesOf(series: Series): number {
  return rowCount(series) * (series.exact ? 24 : 72) + 200;
}
