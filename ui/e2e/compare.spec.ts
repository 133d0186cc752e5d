// Runs side by side: what differs first, what is best marked.
import { RunsView } from "./places.ts";
import { address, expect, expectAccessible, test } from "./test.ts";

test("from the table: differences first, the best marked by direction", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("shelf")}/?q=${encodeURIComponent("name like 'a%'")}`);
  await expect(runs.total).toHaveText("3 runs");
  for (const name of ["a0", "a1", "a2"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page.getByRole("link", { name: "Compare" }).click();
  await expect(page).toHaveURL(/\/compare\?runs=/);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  for (const name of ["a0", "a1", "a2"]) await expect(page.getByRole("link", { name }).first()).toBeVisible();
  const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
  await expect(row("seed")).toBeVisible();
  await expect(row("lr")).toBeVisible();
  // a0 has the lowest losses and the highest accuracy.
  for (const metric of ["loss", "acc"]) await expect(row(metric).first()).toContainText(/best/i);
  const plot = page.getByRole("img", { name: /^Params and metrics side by side, a line for each of 3 runs/ });
  await expect(plot).toBeVisible();
  for (const name of ["seed", "lr", "train/loss ↓", "val/acc ↑"]) await expect(plot.locator("text", { hasText: name }).first()).toBeVisible();
  const legend = page.getByRole("list", { name: "Colours of the runs" });
  await expect(legend.getByRole("listitem")).toHaveText(["a0", "a1", "a2"]);
  await expectAccessible(page);
  await page.reload();
  await expect(row("seed")).toBeVisible();
});
