/** Where one is, for the top bar and the window's title. A page sets it in an effect. */

export interface Crumb {
  label: string;
  href?: string;
}

class Crumbs {
  list = $state.raw<readonly Crumb[]>([]);

  set(list: readonly Crumb[]): void {
    this.list = list;
    document.title = [...list.map((one) => one.label).toReversed(), "Lineal"].join(" \u00b7 ");
  }
}

export const crumbs = new Crumbs();
