/** What a chart shows, to take along: as a table (CSV) and as a picture (PNG). */

import { rowCount } from "../api/series.ts";
import type { Interval } from "./domain.ts";
import type { Track } from "./track.ts";

const HEAD = "metric,run_id,run,labels,step,time,value,points,first,min,max,nan";

/** One line a row in view: a point, or a bucket with what it sums up. `time` is ISO 8601, UTC. */
export function csvOf(metric: string, tracks: readonly Track[], view: Interval): string {
  const lines = [HEAD];
  for (const track of tracks) {
    const { series } = track;
    const head = [metric, track.runId, track.runName, track.labelText].map(quoted).join(",");
    for (let i = 0; i < rowCount(series); i += 1) {
      const at = track.x[i] as number;
      if (at < view[0] || at > view[1]) continue;
      if (series.exact) {
        const value = series.value[i] as number;
        lines.push(`${head},${series.step[i]},${iso(series.timeMs[i] as number)},${number(value)},1,,,,${Number.isNaN(value) ? 1 : 0}`);
      } else {
        const values = [series.first[i], series.min[i], series.max[i]].map((value) => number(value as number)).join(",");
        lines.push(
          `${head},${series.stepMax[i]},${iso(series.timeMax[i] as number)},${number(series.last[i] as number)},${series.count[i]},${values},${series.nanCount[i]}`,
        );
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Text that a spreadsheet would take for a formula is told apart by an apostrophe. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function iso(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "";
}

export interface PictureOptions {
  title: string;
  subtitle: string;
  width: number;
  height: number;
  background: string;
  text: string;
  faint: string;
  font: string;
  draw: (context: CanvasRenderingContext2D, left: number, top: number) => void;
  legend: { text: string; color: string }[];
}

const PICTURE_RATIO = 2;
const TITLE_PX = 34;
const LEGEND_ROW_PX = 18;
const LEGEND_COLUMN_PX = 180;

/** The chart with its title and legend, twice as sharp as the screen. */
export async function pictureOf(options: PictureOptions): Promise<Blob> {
  const columns = Math.max(1, Math.floor((options.width - 24) / LEGEND_COLUMN_PX));
  const legendHeight = options.legend.length > 1 ? Math.ceil(options.legend.length / columns) * LEGEND_ROW_PX + 12 : 0;
  const canvas = document.createElement("canvas");
  canvas.width = options.width * PICTURE_RATIO;
  canvas.height = (options.height + TITLE_PX + legendHeight) * PICTURE_RATIO;
  const context = canvas.getContext("2d")!;
  context.scale(PICTURE_RATIO, PICTURE_RATIO);
  context.fillStyle = options.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = `600 13px ${options.font}`;
  context.fillStyle = options.text;
  context.textBaseline = "middle";
  context.fillText(options.title, 12, TITLE_PX / 2 + 1);
  const titleWidth = context.measureText(options.title).width;
  context.font = `11px ${options.font}`;
  context.fillStyle = options.faint;
  context.fillText(options.subtitle, titleWidth + 22, TITLE_PX / 2 + 1);
  options.draw(context, 0, TITLE_PX);
  if (legendHeight > 0) {
    options.legend.forEach(({ text, color }, i) => {
      const left = 12 + (i % columns) * LEGEND_COLUMN_PX;
      const middle = TITLE_PX + options.height + 12 + Math.floor(i / columns) * LEGEND_ROW_PX;
      context.fillStyle = color;
      context.fillRect(left, middle - 1.5, 12, 3);
      context.fillStyle = options.text;
      context.fillText(text, left + 18, middle, LEGEND_COLUMN_PX - 26);
    });
  }
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be made")))));
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** "train/loss" as the name of a file. */
export function fileName(metric: string, ending: string): string {
  return `${metric.replace(/[^\w.-]+/g, "-").slice(0, 100) || "chart"}.${ending}`;
}
