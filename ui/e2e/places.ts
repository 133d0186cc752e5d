// The page's parts by role and label: what a test says instead of a selector.
import type { Locator, Page } from "@playwright/test";

export class RunsView {
  readonly filter: Locator;
  readonly table: Locator;
  readonly total: Locator;
  readonly charts: Locator;

  constructor(readonly page: Page) {
    this.filter = page.getByRole("combobox", { name: "Filter" });
    this.table = page.getByRole("grid", { name: "Runs" });
    this.total = page.getByRole("status").filter({ hasText: /^\s*\d[\d\s,]* runs?/ }).first();
    this.charts = page.getByRole("region", { name: "Charts" }).first();
  }

  /** A row by the run's name. */
  row = (name: string): Locator => this.table.getByRole("row").filter({ has: this.page.getByRole("link", { name, exact: true }) });
  link = (name: string): Locator => this.table.getByRole("link", { name, exact: true });
  names = (): Promise<string[]> => this.table.getByRole("link").allTextContents();
  heading = (name: string): Locator => this.table.getByRole("columnheader").filter({ has: this.page.getByRole("button", { name, exact: true }) });
  chart = (metric: string): Locator => this.page.getByRole("article", { name: metric, exact: true });

  /** Texts of a column, top to bottom, of the rows in sight. */
  async column(name: string): Promise<string[]> {
    const index = await this.heading(name).getAttribute("aria-colindex");
    const cells = this.table.locator(`[role="gridcell"][aria-colindex="${index}"]`);
    return (await cells.allTextContents()).map((text) => text.trim());
  }

  async apply(filter: string): Promise<void> {
    await this.filter.fill(filter);
    await this.filter.press("Enter");
  }
}
