// The table of runs: find, sort, group, choose columns; the address says it all, so Back undoes it.
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

test.describe("filter", () => {
  test("finds by param, and Back restores the view before", async ({ page }) => {
    const runs = new RunsView(page);
    await page.goto(address("shelf"));
    await expect(runs.total).toHaveText("24 runs");
    await runs.apply("params.seed = 2");
    await expect(runs.total).toHaveText("8 runs");
    await expect(page).toHaveURL(/q=params\.seed/);
    expect(new Set((await runs.names()).map((name) => name.slice(1)))).toEqual(new Set(["2"]));
    await page.goBack();
    await expect(runs.total).toHaveText("24 runs");
    await expect(runs.filter).toHaveValue("");
    await page.goForward();
    await expect(runs.total).toHaveText("8 runs");
    await expect(runs.filter).toHaveValue("params.seed = 2");
  });

  test("a mistake is shown at its place, says what was expected, and hides no runs", async ({ page, calm }) => {
    calm.allowed.push(/status of 400/);
    const runs = new RunsView(page);
    await page.goto(address("shelf"));
    await expect(runs.total).toHaveText("24 runs");
    await runs.apply("params.seed = 2 and metrics.val/acc >> 1");
    const alert = page.getByRole("alert");
    await expect(alert).toBeVisible();
    await expect(alert).toContainText(/expected|value/i);
    await expect(runs.filter).toHaveAttribute("aria-invalid", "true");
    await expect(runs.filter).toHaveAccessibleDescription(/\S/);
    await expect(runs.total).toHaveText("24 runs");
    await runs.apply("params.seed = 2 and metrics.val/acc > 0.5");
    await expect(alert).toBeHidden();
    await expect(runs.total).toHaveText("8 runs");
  });

  test("completes names while one types", async ({ page, calm }) => {
    calm.allowed.push(/status of 400/);
    const runs = new RunsView(page);
    await page.goto(address("shelf"));
    await runs.filter.pressSequentially("metrics.val/a");
    const options = page.getByRole("listbox").getByRole("option");
    await expect(options.filter({ hasText: "val/acc" })).toBeVisible();
    await runs.filter.press("Tab");
    await expect(runs.filter).toHaveValue(/metrics\.`?val\/acc`? ?/);
    await runs.filter.press("Escape");
    await expect(page.getByRole("listbox")).toBeHidden();
  });

  test("words that are no filter look for names, emoji among them", async ({ page, calm }) => {
    calm.allowed.push(/status of 400/);
    const runs = new RunsView(page);
    await page.goto(address("odd"));
    await runs.apply("🧪👩‍🔬");
    await expect(runs.total).toHaveText("1 run");
    await expect(runs.link("наша модель 模型 🧪👩‍🔬")).toBeVisible();
  });

  test("nothing found says so, and how to go on", async ({ page }) => {
    const runs = new RunsView(page);
    await page.goto(address("shelf"));
    await runs.apply("name = '🧪 no such run'");
    await expect(page.getByText("No run matches").first()).toBeVisible();
    await page.getByRole("button", { name: "Clear the filter" }).last().click();
    await expect(runs.total).toHaveText("24 runs");
  });

  test("reloaded in the middle of typing, the last filter that was whole stands", async ({ page, calm }) => {
    calm.allowed.push(/status of 400/);
    const runs = new RunsView(page);
    await page.goto(address("shelf"));
    await runs.apply("params.seed = 1");
    await expect(runs.total).toHaveText("8 runs");
    await runs.filter.press("End");
    await runs.filter.pressSequentially(" and metr");
    await page.reload();
    await expect(runs.total).toHaveText("8 runs");
    await expect(runs.filter).toHaveValue("params.seed = 1");
  });
});

test("a click on a column's name sorts, another turns the order, the address keeps it", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("shelf")}/?cols=params.seed,metrics.train/loss&q=name+like+'a%25'`);
  await expect(runs.total).toHaveText("3 runs");
  await runs.heading("seed").getByRole("button", { name: "seed", exact: true }).click();
  await expect(runs.heading("seed")).toHaveAttribute("aria-sort", /ascending|descending/);
  await expect(page).toHaveURL(/sort=params\.seed/);
  const first = await runs.heading("seed").getAttribute("aria-sort");
  const ascending = ["a0", "a1", "a2"];
  await expect.poll(runs.names).toEqual(first === "ascending" ? ascending : ascending.toReversed());
  await runs.heading("seed").getByRole("button", { name: "seed", exact: true }).click();
  await expect.poll(runs.names).toEqual(first === "ascending" ? ascending.toReversed() : ascending);
  await page.reload();
  await expect.poll(runs.names).toEqual(first === "ascending" ? ascending.toReversed() : ascending);
});

test.describe("columns", () => {
  test("are chosen by search, and kept in the address", async ({ page }) => {
    const runs = new RunsView(page);
    await page.goto(`${address("shelf")}/?cols=status`);
    await expect(runs.total).toHaveText("24 runs");
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("searchbox", { name: "Search columns" }).fill("depth");
    await page.getByRole("checkbox", { name: "model/depth" }).check();
    await page.keyboard.press("Escape");
    await expect(runs.heading("model/depth")).toBeVisible();
    await expect.poll(async () => (await runs.column("model/depth")).slice(0, 3)).toEqual(["2", "1", "0"]);
    await page.reload();
    await expect(runs.heading("model/depth")).toBeVisible();
  });

  test("are resized at their edge and from the menu, and pinned ones stay in sight", async ({ page }) => {
    const runs = new RunsView(page);
    const columns = "status,start_time,params.lr,params.seed,params.model/kind,params.model/depth,metrics.train/loss,metrics.val/loss,metrics.val/acc,tags.team";
    await page.goto(`${address("shelf")}/?cols=${columns}&pin=metrics.val/acc`);
    await expect(runs.total).toHaveText("24 runs");
    const rate = runs.heading("lr");
    const before = (await rate.boundingBox())!;
    await page.mouse.move(before.x + before.width - 1, before.y + before.height / 2);
    await page.mouse.down();
    await page.mouse.move(before.x + before.width + 60, before.y + before.height / 2, { steps: 4 });
    await page.mouse.up();
    await expect.poll(async () => Math.round((await rate.boundingBox())!.width - before.width)).toBeGreaterThan(40);
    const pinned = runs.heading("val/acc");
    const place = (await pinned.boundingBox())!.x;
    await runs.table.evaluate((element) => element.scrollTo({ left: 5000 }));
    await expect.poll(async () => (await pinned.boundingBox())!.x).toBeCloseTo(place, 0);
    await expect(runs.heading("status")).not.toBeInViewport();
  });
});

test("groups by a param, with how many, mean and spread; a group opens", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("shelf")}/?cols=metrics.val/acc`);
  await expect(runs.total).toHaveText("24 runs");
  await page.getByRole("button", { name: /^Group/ }).click();
  await page.getByRole("searchbox", { name: "Search params and tags" }).fill("seed");
  await page.getByRole("button", { name: "seed", exact: true }).click();
  await expect(page).toHaveURL(/group=params\.seed/);
  const groups = runs.table.getByRole("row").filter({ has: page.getByRole("button", { name: /8 runs/ }) });
  await expect(groups).toHaveCount(3);
  // Eight equal runs a seed: their accuracy after 30 steps is 1 - (seed + 1) / 30 / 4.
  for (const seed of [0, 1, 2]) {
    const group = groups.filter({ has: page.getByRole("button", { name: new RegExp(`^${seed}\\s*8 runs`) }) });
    await expect(group).toContainText((1 - (seed + 1) / 120).toFixed(4));
    await expect(group).toContainText("±");
  }
  await groups.first().getByRole("button").click();
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  await expect(runs.table.getByRole("link")).toHaveCount(8);
});

test("no number of a metric is cut off, however small", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("many")}/?cols=metrics.f1,metrics.acc&q=${encodeURIComponent("metrics.f1 > -0.0009 and metrics.f1 < -0.0001")}`);
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  await expect.poll(async () => (await runs.column("f1")).filter(Boolean).length).toBeGreaterThan(5);
  for (const text of (await runs.column("f1")).filter(Boolean)) expect(text).toMatch(/^−(0\.000\d+|\d(\.\d+)?e−4)$/);
  const index = await runs.heading("f1").getAttribute("aria-colindex");
  const cut = await runs.table.locator(`[role="gridcell"][aria-colindex="${index}"]`).evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
  expect(cut).toBe(0);
});

test("a long selection is in the address, and stands in another tab", async ({ page, context }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("many")}/?q=${encodeURIComponent("params.seed > 0")}&charts=nothing-is-called-so&cols=metrics.f1`);
  await expect(runs.table.getByRole("link").first()).toBeVisible();
  await runs.table.getByRole("checkbox").nth(1).check();
  await page.keyboard.down("Shift");
  await runs.table.focus();
  await page.keyboard.up("Shift");
  await runs.table.getByRole("row").nth(1).click({ position: { x: 300, y: 10 } });
  for (let at = 0; at < 99; at += 1) await page.keyboard.press("j");
  await page.keyboard.press("Shift+X");
  const bar = page.getByRole("toolbar", { name: "Selected runs" });
  await expect(bar).toContainText("100 runs selected");
  expect(page.url().length).toBeLessThan(2_600);
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.getByRole("toolbar", { name: "Selected runs" })).toContainText("100 runs selected");
});
