/** How this person likes the page: widths, which panels are open. Kept in this browser, unlike what is looked at (the address). */

const KEY = "lineal.layout";

interface Stored {
  widths: Record<string, number>;
  rail: boolean;
  /** Share of the room that the charts take. */
  charts: number;
}

/** On a laptop's screen the table is given more, or it shows a name and one number. */
const SMALL_PX = 1200;
const DEFAULT: Stored = { widths: {}, rail: true, charts: typeof innerWidth === "number" && innerWidth < SMALL_PX ? 0.36 : 0.46 };

function stored(): Stored {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    if (typeof value !== "object" || value === null) return DEFAULT;
    const { widths, rail, charts } = value as Partial<Stored>;
    return {
      widths: typeof widths === "object" && widths !== null ? widths : {},
      rail: rail ?? DEFAULT.rail,
      charts: typeof charts === "number" && charts > 0 && charts < 1 ? charts : DEFAULT.charts,
    };
  } catch {
    return DEFAULT;
  }
}

class Layout {
  #value = $state.raw<Stored>(stored());

  get widths(): Readonly<Record<string, number>> {
    return this.#value.widths;
  }

  get rail(): boolean {
    return this.#value.rail;
  }

  get charts(): number {
    return this.#value.charts;
  }

  setWidth(id: string, width: number): void {
    this.#keep({ widths: { ...this.#value.widths, [id]: Math.round(width) } });
  }

  setRail(open: boolean): void {
    this.#keep({ rail: open });
  }

  setCharts(share: number): void {
    this.#keep({ charts: Math.max(0.2, Math.min(0.8, share)) });
  }

  #keep(changes: Partial<Stored>): void {
    this.#value = { ...this.#value, ...changes };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#value));
    } catch {
      // it holds for this page
    }
  }
}

export const layout = new Layout();
