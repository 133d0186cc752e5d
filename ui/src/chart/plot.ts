/** One chart on the screen: uPlot's axes below, our canvases above. Knows pixels, not the framework. */

import uPlot from "uplot";
import { axesOptions, NO_DATA, paintAxes } from "./axes.ts";
import type { Domain } from "./domain.ts";
import { nearRows, type NearRow } from "./near.ts";
import { paintTracks, type Plane } from "./paint.ts";
import { pixelScale } from "./scale.ts";
import type { ChartTheme } from "./theme.ts";
import type { Track, XKind } from "./track.ts";

export interface PlotState {
  tracks: readonly Track[];
  domain: Domain;
  xKind: XKind;
  isBytes: boolean;
  logX: boolean;
  logY: boolean;
  band: boolean;
  theme: ChartTheme;
  width: number;
  height: number;
}

export interface PlotRect {
  left: number;
  top: number;
  width: number;
  height: number;
}

const FADED = "0.22";

export class Plot {
  readonly #host: HTMLElement;
  readonly #lines = layer("lines");
  readonly #hover = layer("hover");
  readonly #rule = part("rule");
  readonly #dot = part("dot");
  readonly #box = part("box");
  #chart: uPlot | null = null;
  #state: PlotState | null = null;
  #highlit: string | null = null;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  update(state: PlotState): void {
    const before = this.#state;
    this.#state = state;
    const isOther =
      !before || isTiny(state.domain) || before.xKind !== state.xKind || before.logX !== state.logX || before.logY !== state.logY || before.theme !== state.theme;
    if (isOther || !this.#chart) {
      this.#create(state);
      return;
    }
    const chart = this.#chart;
    const isResized = before.width !== state.width || before.height !== state.height;
    const isMoved = !sameDomain(before.domain, state.domain);
    if (!isResized && !isMoved) {
      this.#paint();
      return;
    }
    chart.batch(() => {
      if (isResized) chart.setSize({ width: state.width, height: state.height });
      if (isMoved) {
        chart.setScale("x", { min: state.domain.x[0], max: state.domain.x[1] });
        chart.setScale("y", { min: state.domain.y[0], max: state.domain.y[1] });
      }
    });
  }

  /** This run's lines stand out, all others fade; null: all alike. */
  highlight(runId: string | null): void {
    if (this.#highlit === runId) return;
    this.#highlit = runId;
    this.#paintHover();
  }

  /** The place of the pointer within the plane in CSS pixels, and the x there; null outside of it. */
  locate(clientX: number, clientY: number): { left: number; top: number; x: number } | null {
    const plane = this.plane();
    if (!this.#chart || !plane) return null;
    const rect = this.#chart.over.getBoundingClientRect();
    const left = clientX - rect.left;
    const top = clientY - rect.top;
    if (left < 0 || top < 0 || left > rect.width || top > rect.height) return null;
    return { left, top, x: plane.x.toValue(left) };
  }

  near(x: number, top: number): NearRow[] {
    const plane = this.plane();
    return plane && this.#state ? nearRows(this.#state.tracks, x, top, plane.x, plane.y, plane.view) : [];
  }

  /** The rule at an x, and a dot on a row; null takes them away. */
  point(x: number | null, row: NearRow | null): void {
    const plane = this.plane();
    const left = x === null || !plane ? Number.NaN : plane.x.toPixel(x);
    this.#rule.hidden = !plane || !(left >= 0 && left <= plane.width);
    if (!this.#rule.hidden) this.#rule.style.transform = `translateX(${Math.round(left)}px)`;
    const value = row ? (row.track.line[row.row] as number) : Number.NaN;
    const top = plane ? plane.y.toPixel(value) : Number.NaN;
    this.#dot.hidden = !row || !plane || Number.isNaN(top) || top < -1 || top > plane.height + 1;
    if (row && plane && !this.#dot.hidden) {
      this.#dot.style.background = row.track.color;
      this.#dot.style.transform = `translate(${plane.x.toPixel(row.track.x[row.row] as number)}px, ${top}px)`;
    }
  }

  /** The box that is being dragged. */
  select(rect: PlotRect | null): void {
    this.#box.hidden = rect === null;
    if (!rect) return;
    this.#box.style.transform = `translate(${rect.left}px, ${rect.top}px)`;
    this.#box.style.width = `${rect.width}px`;
    this.#box.style.height = `${rect.height}px`;
  }

  /** Size and scales of the plane that the lines are drawn on. */
  plane(): Plane | null {
    const chart = this.#chart;
    const state = this.#state;
    if (!chart || !state || !(chart.bbox.width > 0)) return null;
    const width = chart.bbox.width / devicePixelRatio;
    const height = chart.bbox.height / devicePixelRatio;
    return {
      width,
      height,
      x: pixelScale(state.domain.x, 0, width, state.logX),
      y: pixelScale(state.domain.y, height, 0, state.logY),
      view: state.domain.x,
      logY: state.logY,
    };
  }

  /** Axes and lines drawn anew at this place, as sharp as the context is, without what hovers. */
  draw(context: CanvasRenderingContext2D, left: number, top: number): void {
    const state = this.#state;
    const plane = this.plane();
    if (!this.#chart || !state || !plane) return;
    context.save();
    context.translate(left + this.#chart.bbox.left / devicePixelRatio, top + this.#chart.bbox.top / devicePixelRatio);
    paintAxes(context, this.#chart, plane, state.theme);
    context.beginPath();
    context.rect(0, 0, plane.width, plane.height);
    context.clip();
    paintTracks(context, state.tracks, plane, { band: state.band, crowd: state.tracks.length, emphasis: false });
    context.restore();
  }

  destroy(): void {
    this.#chart?.destroy();
    this.#chart = null;
    this.#state = null;
  }

  #create(state: PlotState): void {
    this.#chart?.destroy();
    this.#rule.hidden = this.#dot.hidden = this.#box.hidden = true;
    this.#chart = new uPlot(axesOptions({ ...state, drawn: () => this.#paint() }), NO_DATA, this.#host);
    this.#chart.over.append(this.#lines, this.#hover, this.#rule, this.#dot, this.#box);
  }

  #paint(): void {
    const state = this.#state;
    const plane = this.plane();
    if (!state || !plane) return;
    const context = fit(this.#lines, plane);
    paintTracks(context, state.tracks, plane, { band: state.band, crowd: state.tracks.length, emphasis: false });
    this.#paintHover();
  }

  #paintHover(): void {
    const state = this.#state;
    const plane = this.plane();
    if (!state || !plane) return;
    const mine = this.#highlit === null || state.tracks.length < 2 ? [] : state.tracks.filter((track) => track.runId === this.#highlit);
    this.#lines.style.opacity = mine.length > 0 && mine.length < state.tracks.length ? FADED : "1";
    this.#hover.hidden = mine.length === 0;
    if (mine.length > 0) paintTracks(fit(this.#hover, plane), mine, plane, { band: state.band, crowd: 1, emphasis: true });
  }
}

/** uPlot ignores a new scale as short as this, unless it begins with it. */
function isTiny({ x, y }: Domain): boolean {
  return x[1] - x[0] < 1e-15 || y[1] - y[0] < 1e-15;
}

function sameDomain(a: Domain, b: Domain): boolean {
  return a.x[0] === b.x[0] && a.x[1] === b.x[1] && a.y[0] === b.y[0] && a.y[1] === b.y[1];
}

/** The canvas emptied, in the plane's size, with CSS pixels as its unit. */
function fit(canvas: HTMLCanvasElement, plane: Plane): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const [width, height] = [Math.round(plane.width * ratio), Math.round(plane.height * ratio)];
  const context = canvas.getContext("2d")!;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${plane.width}px`;
    canvas.style.height = `${plane.height}px`;
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function layer(name: string): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.className = `layer ${name}`;
  return canvas;
}

function part(name: string): HTMLElement {
  const element = document.createElement("div");
  element.className = `part ${name}`;
  element.hidden = true;
  return element;
}
