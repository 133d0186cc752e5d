// The curves, judged by what is painted.
import type { Page } from "@playwright/test";
import { inkOf, pixelsOf } from "./picture.ts";
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

async function open(page: Page, site: string, filter: string, more = ""): Promise<RunsView> {
  await page.goto(`${address(site)}/?q=${encodeURIComponent(filter)}${more}`);
  const runs = new RunsView(page);
  await expect(runs.charts).toBeVisible();
  return runs;
}

test("every metric of the newest runs appears, in sections by the part before the slash", async ({ page }) => {
  const runs = await open(page, "shelf", "name like 'a%'");
  for (const metric of ["train/loss", "val/acc", "val/loss"]) {
    await expect.poll(async () => (await inkOf(runs.chart(metric))).count).toBeGreaterThan(200);
    await expect(runs.chart(metric)).toContainText("all 90 points");
  }
  await expect(page.getByRole("heading", { name: /^train/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: /^val/ })).toBeVisible();
});

test("a selected run has one colour, in the table and in every chart", async ({ page }) => {
  const runs = await open(page, "shelf", "name like 'g%'");
  for (const name of ["g0", "g2"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await expect(runs.charts).toContainText("2 runs selected");
  const colors: string[] = [];
  for (const name of ["g0", "g2"]) {
    const color = await runs.row(name).getByRole("gridcell").first().evaluate((cell) => {
      const painted = [...cell.querySelectorAll("*")].map((one) => getComputedStyle(one).backgroundColor);
      return painted.findLast((one) => !/rgba\(\d+, \d+, \d+, 0\)/.test(one)) ?? "none";
    });
    colors.push(color);
    for (const metric of ["train/loss", "val/acc"]) await expect.poll(() => pixelsOf(runs.chart(metric), color)).toBeGreaterThan(30);
  }
  expect(colors[0]).not.toBe(colors[1]);
});

test("one spike among a hundred thousand points never vanishes, smoothed or not", async ({ page }) => {
  const runs = await open(page, "odd", "name = 'one spike'");
  const chart = runs.chart("loss");
  await expect(chart).toContainText(/100\D000 points in .+ buckets/);
  const isThere = async () => {
    const ink = await inkOf(chart);
    return ink.count > 100 && ink.top < 0.15 && Math.abs(ink.peak - 0.618) < 0.01;
  };
  await expect.poll(isThere).toBe(true);
  await page.getByRole("slider", { name: /Smooth/ }).fill("60");
  await expect(page).toHaveURL(/smooth=/);
  await expect.poll(isThere).toBe(true);
});

test("dragging zooms down to the raw points, a double click shows all again", async ({ page }) => {
  const runs = await open(page, "odd", "name = 'one spike'");
  const chart = runs.chart("loss");
  await expect(chart).toContainText(/100\D000 points in/);
  const plot = chart.getByRole("img");
  for (let turn = 0; turn < 4; turn += 1) {
    const box = (await plot.boundingBox())!;
    const middle = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.55, middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.65, middle, { steps: 5 });
    await page.mouse.up();
    await expect(chart).toContainText(/in view/);
    await page.waitForTimeout(300);
    if (/all .+ points in view/.test((await chart.textContent()) ?? "")) break;
  }
  await expect(chart).toContainText(/all .+ points in view/);
  await plot.dblclick();
  await expect(chart).toContainText(/100\D000 points in .+ buckets/);
  await expect(chart).not.toContainText("in view");
});

test("NaN and infinity are counted and marked", async ({ page }) => {
  const runs = await open(page, "odd", "name = 'not numbers'");
  await expect(runs.chart("loss")).toContainText("2 NaN");
  await expect(runs.chart("loss")).toContainText("2 infinite");
  await expect(runs.chart("all_nan")).toContainText("100 NaN");
  await expect.poll(async () => (await inkOf(runs.chart("all_nan"))).count).toBeGreaterThan(10);
});

test("x by step, elapsed and wall time; log axes say what they cannot show", async ({ page }) => {
  const runs = await open(page, "odd", "name = 'not numbers'");
  const plot = runs.chart("loss").getByRole("img");
  await expect(plot).toHaveAccessibleName(/by step/i);
  for (const [choice, said] of [["Elapsed", /by time since start/i], ["Time", /by (wall )?time(?! since)/i]] as const) {
    await page.getByRole("radio", { name: choice }).check({ force: true });
    await expect(plot).toHaveAccessibleName(said);
    await expect.poll(async () => (await inkOf(runs.chart("loss"))).count).toBeGreaterThan(100);
  }
  await page.getByRole("button", { name: /Display/ }).click();
  await page.getByRole("checkbox", { name: /Log y axis/ }).check();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/logy=1/);
  await expect(page).toHaveURL(/x=time/);
  await page.reload();
  await expect(plot).toHaveAccessibleName(/by (wall )?time(?! since)/i);
});

test("two thousand metrics: sections open, a search finds, and the page stays quick", async ({ page }) => {
  const runs = await open(page, "odd", "name = 'two thousand metrics'");
  await expect(page.getByRole("heading", { name: /^layer0/ })).toBeVisible();
  await page.getByRole("searchbox", { name: /Search metrics/ }).fill("layer77/weight1");
  await expect(runs.charts).toContainText(/11 of 2\D?000/);
  await expect(runs.chart("layer77/weight1")).toContainText("all 5 points");
});

test("the crosshair is one for all charts", async ({ page }) => {
  const runs = await open(page, "shelf", "name = 'h1'");
  const [here, there] = [runs.chart("val/acc"), runs.chart("val/loss")];
  for (const chart of [here, there]) await expect(chart).toContainText("all 30 points");
  const box = (await here.getByRole("img").boundingBox())!;
  const before = (await there.textContent()) ?? "";
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 3 });
  await expect.poll(async () => (await there.textContent()) ?? "").not.toBe(before);
  await expect(there).toContainText(/0\.\d{2,}/);
});

test("a zoom is in the address: it is there again after a reload, and gone when all is shown", async ({ page }) => {
  const runs = await open(page, "shelf", "name like 'b%'");
  const chart = runs.chart("train/loss");
  await expect(chart).toContainText("all 90 points");
  const plot = chart.getByRole("img");
  const box = (await plot.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.4, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 100, { steps: 4 });
  await page.mouse.up();
  await expect(chart).toContainText("in view");
  await expect(page).toHaveURL(/zoom=/);
  const said = (await chart.getByText(/in view/).textContent()) ?? "";
  await page.reload();
  await expect(chart).toContainText(said);
  await expect(runs.chart("val/loss")).not.toContainText("in view");
  await chart.getByRole("button", { name: /Show everything again/ }).click();
  await expect(chart).not.toContainText("in view");
  await expect(page).not.toHaveURL(/zoom=/);
});

test("every chart says what its x axis counts", async ({ page }) => {
  const runs = await open(page, "shelf", "name like 'a%'");
  const axis = runs.chart("val/acc").getByTitle("What the x axis counts");
  await expect(axis).toHaveText("step");
  await page.getByText("Elapsed", { exact: true }).click();
  await expect(axis).toHaveText("time since start");
});

test("a pinned chart comes first, also after a reload, until it is let go", async ({ page }) => {
  const runs = await open(page, "shelf", "name like 'c%'");
  const names = () => runs.charts.getByRole("article").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
  await expect(runs.chart("val/loss")).toBeVisible();
  await expect.poll(async () => (await names())[0]).toBe("train/loss");
  await runs.chart("val/loss").hover();
  await page.getByRole("button", { name: "Pin val/loss to the top" }).click();
  await expect(page.getByRole("heading", { name: /^Pinned/ })).toBeVisible();
  await expect.poll(async () => (await names())[0]).toBe("val/loss");
  await page.reload();
  await expect.poll(async () => (await names())[0]).toBe("val/loss");
  expect((await names()).filter((name) => name === "val/loss")).toHaveLength(1);
  await runs.chart("val/loss").hover();
  await page.getByRole("button", { name: "Unpin val/loss" }).click();
  await expect.poll(async () => (await names())[0]).toBe("train/loss");
  await expect(page).not.toHaveURL(/pin=/);
});

test("groups are drawn in colours of their own, the same beside their names", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("shelf")}/?group=params.seed`);
  await expect(runs.charts.getByRole("heading", { name: "All 3 groups" })).toBeVisible();
  const colors: string[] = [];
  for (const seed of [0, 1, 2]) {
    const row = runs.table.getByRole("row").filter({ has: page.getByRole("button", { name: new RegExp(`^${seed}\\s*8 runs`) }) });
    const color = await row.getByTitle("The colour of its runs on the charts").evaluate((dot) => getComputedStyle(dot).backgroundColor);
    colors.push(color);
    await expect.poll(() => pixelsOf(runs.chart("train/loss"), color)).toBeGreaterThan(30);
  }
  expect(new Set(colors).size).toBe(3);
  await expect(runs.chart("train/loss")).toContainText("all 720 points");
});
