/** How all charts of a panel are drawn. The page keeps it in its URL. */

import { decodeList } from "../lib/routes.ts";
import type { Zoom } from "./domain.ts";
import type { XKind } from "./track.ts";
import { zoomFromText, zoomToText } from "./zoom-text.ts";

export interface ChartSettings {
  x: XKind;
  /** 0 is none; up to 0.999. */
  smoothing: number;
  logX: boolean;
  logY: boolean;
  /** The range of every bucket, behind its line. */
  band: boolean;
  /** Keep outliers out of the y range. */
  robust: boolean;
  /** A zoom in x holds for all charts. */
  linked: boolean;
  /** Charts in a row; 0 takes as many as fit. */
  columns: number;
  /** Names to show: text, or /a regular expression/. */
  search: string;
  /** Metrics whose charts come first, in this order. */
  pins: readonly string[];
  /** By metric; under "" the x range of all charts while they are zoomed together. Only on this x axis. */
  zooms: Readonly<Record<string, Zoom>>;
}

export const DEFAULT_SETTINGS: Readonly<ChartSettings> = Object.freeze({
  x: "step",
  smoothing: 0,
  logX: false,
  logY: false,
  band: true,
  robust: false,
  linked: false,
  columns: 0,
  search: "",
  pins: [],
  zooms: {},
});

export const SMOOTHING_MAX = 0.999;
export const COLUMNS_MAX = 6;
/** What an address may hold. */
export const PINS_MAX = 50;
export const ZOOMS_MAX = 50;

/** Query parameters, of what differs from the default only. `x`: the axis that goes without saying. */
export function settingsToQuery(settings: ChartSettings, x: XKind = DEFAULT_SETTINGS.x): Record<string, string | readonly string[]> {
  const query: Record<string, string | readonly string[]> = {};
  if (settings.x !== x) query["x"] = settings.x;
  if (settings.smoothing > 0) query["smooth"] = String(settings.smoothing);
  if (settings.logX) query["logx"] = "1";
  if (settings.logY) query["logy"] = "1";
  if (!settings.band) query["band"] = "0";
  if (settings.robust) query["robust"] = "1";
  if (settings.linked) query["link"] = "1";
  if (settings.columns) query["columns"] = String(settings.columns);
  if (settings.search) query["charts"] = settings.search;
  if (settings.pins.length > 0) query["pin"] = settings.pins;
  const zooms = Object.entries(settings.zooms).map(([metric, zoom]) => zoomToText(metric, zoom));
  if (zooms.length > 0) query["zoom"] = zooms;
  return query;
}

/** The names that settingsToQuery may use: those absent from its answer are to be removed from a URL. */
export const SETTINGS_QUERY_NAMES = ["x", "smooth", "logx", "logy", "band", "robust", "link", "columns", "charts", "pin", "zoom"] as const;

/** What the query says; anything that it does not say, or says wrongly, is as by default. */
export function settingsFromQuery(query: URLSearchParams, usualX: XKind = DEFAULT_SETTINGS.x): ChartSettings {
  const x = query.get("x");
  return {
    x: x === "time" || x === "relative" || x === "step" ? x : usualX,
    smoothing: numberIn(query.get("smooth"), 0, SMOOTHING_MAX),
    logX: query.get("logx") === "1",
    logY: query.get("logy") === "1",
    band: query.get("band") !== "0",
    robust: query.get("robust") === "1",
    linked: query.get("link") === "1",
    columns: Math.round(numberIn(query.get("columns"), 0, COLUMNS_MAX)),
    search: query.get("charts") ?? "",
    pins: [...new Set(decodeList(query.get("pin")))].slice(0, PINS_MAX),
    zooms: Object.fromEntries(decodeList(query.get("zoom")).slice(0, ZOOMS_MAX).flatMap((text) => zoomFromText(text) ?? [])),
  };
}

function numberIn(text: string | null, low: number, high: number): number {
  const value = Number(text ?? low);
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : low;
}
