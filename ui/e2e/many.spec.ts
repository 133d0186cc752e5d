// A hundred thousand runs, or LINEAL_TEST_RUNS of them: the table draws what is in sight.
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

const COUNT = Number(process.env["LINEAL_TEST_RUNS"] || 100_000);

test("all are there, few are drawn, the last can be reached", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(address("many"));
  await expect(runs.total).toHaveText(new RegExp(`^${COUNT.toLocaleString("en").replace(",", "\\D")} runs$`));
  await expect(runs.table).toHaveAttribute("aria-rowcount", String(COUNT + 1));
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  expect(await runs.table.getByRole("row").count()).toBeLessThan(100);
  await runs.table.focus();
  await page.keyboard.press("End");
  const last = runs.table.locator(`[role="row"][aria-rowindex="${COUNT + 1}"]`);
  await expect(last.getByRole("link")).toHaveText(/-0$/);
  await page.keyboard.press("Home");
  await expect(runs.table.locator('[role="row"][aria-rowindex="2"]').getByRole("link")).toHaveText(new RegExp(`-${COUNT - 1}$`));
});

test("sorted by a metric the best are first, from end to end", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("many")}/?cols=metrics.f1,params.optimizer&sort=metrics.f1+desc`);
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  await expect.poll(async () => (await runs.column("f1")).filter(Boolean).length).toBeGreaterThan(10);
  const values = (await runs.column("f1")).filter(Boolean).map(Number);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
  await runs.apply("params.optimizer = 'lion' and metrics.f1 > 0");
  await expect.poll(async () => new Set((await runs.column("optimizer")).filter(Boolean))).toEqual(new Set(["lion"]));
});

test("scrolling by the wheel fills what it passes, and loses no row", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(address("many"));
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  const box = (await runs.table.boundingBox())!;
  await page.mouse.move(box.x + 200, box.y + 300);
  for (let turn = 0; turn < 12; turn += 1) await page.mouse.wheel(0, 9_000);
  await expect.poll(async () => (await runs.names()).length).toBeGreaterThan(15);
  const shown = await runs.table.getByRole("row").filter({ has: page.getByRole("link") }).evaluateAll((rows) =>
    rows.map((row) => ({ index: Number(row.getAttribute("aria-rowindex")), name: row.querySelector("a")?.textContent ?? "" })),
  );
  for (const { index, name } of shown) expect(name).toMatch(new RegExp(`-${COUNT + 1 - index}$`));
});
