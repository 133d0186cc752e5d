/** Where one is, for the top bar and the window's title. A page sets it in an effect. */

export interface Crumb {
  label: string;
  href?: string;
}

class Crumbs {
  list = $state.raw<readonly Crumb[]>([]);

  /** `title` is for the window, where it should say something else than the last crumb. */
  set(list: readonly Crumb[], title?: string): void {
    this.list = list;
    document.title = [...(title === undefined ? list.map((one) => one.label).toReversed() : [title]), "Lineal"].join(" \u00b7 ");
  }
}

export const crumbs = new Crumbs();
