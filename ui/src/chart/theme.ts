/** The colours of axes and grid, read from the page's tokens. */

export interface ChartTheme {
  text: string;
  faint: string;
  grid: string;
  line: string;
  surface: string;
  font: string;
}

export function readTheme(element: Element): ChartTheme {
  const style = getComputedStyle(element);
  const token = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  return {
    text: token("--text", "#1b1d21"),
    faint: token("--faint", "#666b75"),
    grid: token("--line", "#e5e5e2"),
    line: token("--line-strong", "#cfcfcb"),
    surface: token("--surface", "#ffffff"),
    font: `11px ${token("--font", "system-ui, sans-serif")}`,
  };
}
