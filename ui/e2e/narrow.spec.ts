// The notebook's pages on a phone: nothing is wider than the window, and what was chosen is in sight.
import { address, expect, expectAccessible, test } from "./test.ts";

test.use({ viewport: { width: 390, height: 844 } });

test("a run's pages fit a phone", async ({ page }) => {
  test.slow(); // every tab
  const { runs } = (await (await page.request.get(`${address("notebook")}/api/v1/experiments/runs?limit=10`)).json()) as { runs: { run_id: string; name: string }[] };
  const runId = runs.find((run) => run.name === "second")!.run_id;
  for (const tab of ["overview", "console", "code", "environment", "lineage", "attempts"]) {
    await page.goto(`${address("notebook")}/runs/${runId}?tab=${tab}`);
    const chosen = page.getByRole("tab", { selected: true });
    await expect(chosen).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole("tabpanel").getByRole("region").first()).toBeVisible();
    expect(await page.evaluate(() => [document.documentElement, document.getElementById("main")!].map((one) => one.scrollWidth - one.clientWidth)), tab).toEqual([0, 0]);
  }
  await expectAccessible(page);
});

test("a phone shows the table of runs, and the experiments and charts when they are asked for", async ({ page }) => {
  test.slow(); // many steps
  await page.goto(address("shelf"));
  const table = page.getByRole("grid", { name: "Runs" });
  await expect(table.getByRole("row").nth(1)).toBeVisible();
  // the name and two metrics stand in sight, over the whole width
  await expect(table.getByRole("columnheader").filter({ hasText: /acc|loss/ }).first()).toBeInViewport({ ratio: 1 });
  expect((await table.boundingBox())?.width).toBe(390);
  await expect(page.getByRole("navigation", { name: "Experiments" })).toBeHidden();
  await expect(page.getByRole("region", { name: "Charts" })).toBeHidden();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await expectAccessible(page);

  await page.getByRole("button", { name: "Charts" }).click();
  await expect(page.getByRole("region", { name: "Charts" })).toBeInViewport();
  await expect(table).toBeHidden();
  await page.getByRole("button", { name: "Table" }).click();
  await expect(table).toBeVisible();

  await page.getByRole("button", { name: "Show the experiments" }).click();
  const rail = page.getByRole("navigation", { name: "Experiments" });
  await expect(rail).toBeInViewport();
  await expectAccessible(page);
  await rail.getByRole("link").nth(1).click();
  await expect(rail).toBeHidden();
  await expect(page).toHaveURL(/experiments\//);
  // a pointer's page beside it is as it was
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(rail).toBeVisible();
  await expect(page.getByRole("region", { name: "Charts" })).toBeVisible();
});

test("a phone compares two runs side by side", async ({ page }) => {
  await page.goto(`${address("shelf")}/?q=${encodeURIComponent("name like 'a%'")}`);
  for (const n of [0, 1]) await page.getByRole("row").nth(n + 1).getByRole("checkbox").check();
  const link = page.getByRole("link", { name: "Compare" });
  await expect(link).toBeInViewport({ ratio: 1 });
  await link.click();
  const heads = page.getByRole("table", { name: "Compare" }).getByRole("columnheader");
  await expect(heads.nth(1)).toBeInViewport({ ratio: 1 });
  await expect(heads.nth(2)).toBeInViewport({ ratio: 0.98 });
  await expect(page.getByRole("button", { name: "Export" })).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole("searchbox", { name: "Find a row" })).toBeInViewport({ ratio: 1 });
  await expectAccessible(page);
});

test("models, versions and files fit a phone", async ({ page }) => {
  const base = address("desk");
  const api = `${base}/api/v1`;
  const found = (await (await page.request.get(`${api}/experiments/runs?limit=1`)).json()) as { runs: { run_id: string }[] };
  const name = "seen on a phone";
  for (const [path, data] of [
    ["/models", { name, description: "Reads digits, from any scanner that anybody ever had." }],
    [`/models/${encodeURIComponent(name)}/versions`, { run_id: found.runs[0]!.run_id, description: "with a long description of what is in it" }],
    [`/models/${encodeURIComponent(name)}/versions/1/stage`, { stage: "production", why: "the first" }],
  ] as const) expect((await page.request.post(api + path, { data })).ok(), path).toBe(true);
  for (const path of ["/models", `/models/${encodeURIComponent(name)}`, `/models/${encodeURIComponent(name)}/1`]) {
    await page.goto(base + path);
    await expect(page.getByRole("table").first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), path).toBe(0);
  }
  const { runs } = (await (await page.request.get(`${address("notebook")}/api/v1/experiments/runs?limit=10`)).json()) as { runs: { run_id: string; name: string }[] };
  await page.goto(`${address("notebook")}/runs/${runs.find((run) => run.name === "second")!.run_id}?tab=artifacts`);
  const panel = page.getByRole("tabpanel");
  await panel.getByRole("treeitem").last().click();
  const file = panel.getByRole("link", { name: "Download" });
  await expect(file).toBeVisible();
  expect((await file.boundingBox())!.x + (await file.boundingBox())!.width).toBeLessThan(390);
});

test("a table that is too wide is scrolled by keys; one that fits is no stop on the way", async ({ page }) => {
  await page.goto(`${address("data")}/datasets`);
  const table = page.getByRole("region", { name: "Datasets" });
  await expect(table).toHaveAttribute("tabindex", "0");
  await table.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => table.evaluate((one) => one.scrollLeft)).toBeGreaterThan(0);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(table).not.toHaveAttribute("tabindex");
});

test("what can be done with the runs stands in one line, whatever they are grouped by", async ({ page }) => {
  await page.goto(`${address("shelf")}/?group=params.model/kind,tags.team`);
  const [group, more] = [page.getByRole("button", { name: /^Group by/ }), page.getByRole("button", { name: "More", exact: true })];
  await expect(group).toContainText("team");
  const [a, b] = [(await group.boundingBox())!, (await more.boundingBox())!];
  expect(Math.abs(a.y + a.height / 2 - b.y - b.height / 2)).toBeLessThan(2);
  await expect(more).toBeInViewport({ ratio: 1 });
});
