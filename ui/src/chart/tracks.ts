/** The lines of one chart, out of the series of its runs; a line whose series and settings stayed is not computed again. */

import type { Series } from "../api/series.ts";
import { labelText, makeRawTrack, spanOf, trackKey, type Track, type TrackStyle, withSmoothing, type XKind } from "./track.ts";

/** A run as the page gives it to the charts. */
export interface ChartRun {
  run_id: string;
  name: string;
  status: string;
  color: string;
  /** Where relative time begins: milliseconds, or ISO text. */
  start_time?: number | string | null;
  /** Which metrics there are: the keys. */
  metrics?: Readonly<Record<string, unknown>>;
}

export class TrackMaker {
  readonly #kept = new WeakMap<Series, { signature: string; raw: Track; smoothing: number; span: number | null; track: Track }>();

  /** In the order of `series`. `spans` are the full lengths of x by track key, where these series are but a part. */
  make(series: readonly Series[], runs: ReadonlyMap<string, ChartRun>, x: XKind, smoothing: number, spans: ReadonlyMap<string, number> | null): Track[] {
    const dashes = dashesOf(series);
    const tracks: Track[] = [];
    for (const one of series) {
      const run = runs.get(one.runId);
      if (!run) continue;
      const style: TrackStyle = {
        runName: run.name || run.run_id.slice(0, 8),
        color: run.color,
        dash: dashes.get(labelText(one.labels)) ?? 0,
        isLive: run.status === "running",
        startMs: startOf(run),
        span: null,
      };
      const span = spans?.get(trackKey(one)) ?? null;
      const signature = JSON.stringify([x, style]);
      let kept = this.#kept.get(one);
      if (kept?.signature !== signature) {
        const raw = makeRawTrack(one, x, style);
        kept = { signature, raw, smoothing, span, track: withSmoothing(raw, smoothing, span) };
        this.#kept.set(one, kept);
      } else if (kept.smoothing !== smoothing || kept.span !== span) {
        kept = { ...kept, smoothing, span, track: withSmoothing(kept.raw, smoothing, span) };
        this.#kept.set(one, kept);
      }
      tracks.push(kept.track);
    }
    return tracks;
  }
}

/** Series with the same labels have the same dash pattern; without labels, or if all have the same, a full line. */
function dashesOf(series: readonly Series[]): Map<string, number> {
  const texts = [...new Set(series.map((one) => labelText(one.labels)))].sort();
  return new Map(texts.map((text, index) => [text, index]));
}

function startOf(run: ChartRun): number | null {
  const start = typeof run.start_time === "string" ? Date.parse(run.start_time) : (run.start_time ?? Number.NaN);
  return Number.isFinite(start) ? start : null;
}

export function spansOf(tracks: readonly Track[]): Map<string, number> {
  return new Map(tracks.map((track) => [track.key, spanOf(track.x, track.order)]));
}
