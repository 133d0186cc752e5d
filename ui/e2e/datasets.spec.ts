// Datasets by themselves: which there are, in which versions, who used them, and what came of that.
import { address, expect, expectAccessible, test } from "./test.ts";

const ODD = "data/Tést set?#&=%2F 🧪";
const QUOTED = "a//b/../c 'quoted'";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("from the list to a version, its runs, its model and its lineage", async ({ page }) => {
      test.slow(); // many steps
      await page.goto(address("data"));
      const places = page.getByRole("navigation", { name: "Places" });
      await places.getByRole("link", { name: "Datasets" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "Datasets" })).toBeVisible();
      await expect(places.getByRole("link", { name: "Datasets" })).toHaveAttribute("aria-current", "true");
      await expect(places.getByRole("link", { name: "Runs" })).not.toHaveAttribute("aria-current", "true");
      const table = page.getByRole("region", { name: "Datasets" });
      await expect(table.getByRole("row")).toHaveCount(9);
      await expect(table.getByRole("row", { name: /^train/ })).toContainText(/v3.*50 rows, 3 columns.*3\s*60/);
      await expectAccessible(page);
      await page.getByRole("searchbox", { name: "Search datasets" }).fill("TRAIN");
      await expect(table.getByRole("row")).toHaveCount(3);
      await page.getByRole("combobox", { name: "Order" }).selectOption("last_used");
      await expect(table.getByRole("row").nth(1)).toContainText("the same as train");
      await table.getByRole("link", { name: "train", exact: true }).click();

      await expect(page.getByRole("heading", { level: 1, name: "train" })).toBeVisible();
      const versions = page.getByRole("table", { name: "Versions" });
      const runs = page.getByRole("table", { name: "Runs" });
      await expect(versions.getByRole("row")).toHaveCount(4);
      await expect(runs.getByRole("row")).toHaveCount(51);
      await expect(runs.getByRole("row").nth(1)).toContainText(/run 59.*finished.*training.*v3.*data/s);
      await expect(page.getByRole("region", { name: "Columns" }).getByRole("listitem")).toHaveText([/x/, /y/, /label/]);
      await expectAccessible(page);
      await page.getByRole("region", { name: /^Runs/ }).getByRole("button", { name: "Show more" }).click();
      await expect(runs.getByRole("row")).toHaveCount(61);
      await expect(runs.getByRole("row", { name: /run 3 / })).toContainText("deleted");

      await versions.getByRole("row", { name: /v2/ }).getByRole("link").click();
      await expect(runs.getByRole("row")).toHaveCount(21);
      await expect(runs.getByRole("row").nth(1)).toContainText("run 39");
      await expect(versions.getByRole("row", { name: /v2/ })).toHaveAttribute("aria-current", "true");
      await expect(page.getByText("No run that used it has registered a model.")).toBeVisible();
      await page.getByRole("link", { name: "All versions together" }).click();
      await expect(runs.getByRole("row")).toHaveCount(51);
      const models = page.getByRole("table", { name: "Models made of it" });
      await expect(models.getByRole("row")).toHaveCount(3);
      await page.getByRole("link", { name: "the same as train" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "the same as train" })).toBeVisible();
      await page.goBack();
      await page.goForward();
      await expect(page.getByRole("heading", { level: 1, name: "the same as train" })).toBeVisible();
      await page.goBack();
      await models.getByRole("row").nth(1).getByRole("link", { name: "reader v2" }).click();
      await expect(page.getByRole("heading", { level: 1, name: "reader v2" })).toBeVisible();
      await page.goBack();

      await page.getByRole("link", { name: /^Its lineage/ }).click();
      await expect(page.getByText("dataset: what it came from")).toBeVisible();
      await page.getByRole("link", { name: "Its versions and runs" }).click();
      await expect(runs.getByRole("row")).toHaveCount(21);
      await page.getByRole("link", { name: "In the table of runs" }).click();
      await expect(page.getByRole("status").filter({ hasText: /20 runs/ })).toBeVisible();
    });
  });
}

test("a run's page leads to the versions that it used", async ({ page }) => {
  await page.goto(`${address("data")}/datasets/train`);
  await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: "run 59", exact: true }).click();
  const panel = page.getByRole("region", { name: "Datasets" });
  await panel.getByRole("link", { name: "train" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "train" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Versions" }).getByRole("row", { name: /v3/ })).toHaveAttribute("aria-current", "true");
});

test("any name is an address, and a digest is one", async ({ page }) => {
  await page.goto(`${address("data")}/datasets`);
  for (const name of [ODD, QUOTED]) {
    await page.getByRole("region", { name: "Datasets" }).getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await expect(page.getByRole("table", { name: "Runs" }).getByRole("row")).toHaveCount(2);
    await page.reload();
    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    await page.getByRole("link", { name: "In the table of runs" }).click();
    await expect(page.getByRole("grid", { name: "Runs" }).getByRole("link", { name: "odd names" })).toBeVisible();
    await page.goto(`${address("data")}/datasets`);
  }
  await page.goto(`${address("data")}/datasets/${"1".repeat(12)}`);
  await expect(page.getByRole("heading", { level: 1, name: /img src/ })).toBeVisible();
  await expect(page.getByRole("table", { name: "Versions" }).getByRole("row").nth(1)).toHaveAttribute("aria-current", "true");
  expect(await page.title()).not.toMatch(/^owned/);
});

test("on a phone nothing is wider than the window", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const place of ["datasets", "datasets/train", `datasets/${encodeURIComponent("a name that goes on ".repeat(12))}`]) {
    await page.goto(`${address("data")}/${place}`);
    await expect(page.getByRole("table").first()).toBeVisible();
    expect(await page.evaluate(() => [document.documentElement, document.getElementById("main")!].map((one) => one.scrollWidth - one.clientWidth)), place).toEqual([0, 0]);
    await expectAccessible(page);
  }
});

test("where there are none, the page says how there comes one; where one is not there, and where the server fails, that", async ({ page, calm }) => {
  calm.allowed.push(/status of 404/, /status of 503/);
  await page.goto(`${address("empty")}/datasets`);
  await expect(page.getByText("run.log_dataset")).toBeVisible();
  await expectAccessible(page);
  await page.goto(`${address("empty")}/datasets/nothing`);
  await expect(page.getByRole("alert")).toContainText("nothing");
  await expectAccessible(page);
  await page.goto(`${address("data")}/datasets?search=zebra`);
  await expect(page.getByText("No dataset is called so")).toBeVisible();
  await page.getByRole("button", { name: "All datasets" }).click();
  await expect(page.getByRole("region", { name: "Datasets" }).getByRole("row")).toHaveCount(9);

  const away = { status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "Not now", status: 503, detail: "the disk refuses", code: "not_writable" }) };
  await page.route("**/api/v1/dataset*", (route) => route.fulfill(away));
  await page.goto(`${address("data")}/datasets`);
  await expect(page.getByRole("alert")).toContainText("the disk refuses");
  await page.unroute("**/api/v1/dataset*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("region", { name: "Datasets" }).getByRole("row")).toHaveCount(9);
  await page.route("**/api/v1/datasets/**", (route) => route.fulfill(away));
  await page.goto(`${address("data")}/datasets/train`);
  await expect(page.getByRole("alert")).toContainText("the disk refuses");
  await expectAccessible(page);
});

test("what a run uses while one looks comes by itself", async ({ page, liveRun, calm }) => {
  calm.jumpsAllowed = true; // a new row comes in among the others, as a new run does
  await page.goto(`${address("pulse")}/datasets?search=while`);
  await expect(page.getByText("No dataset is called so")).toBeVisible();
  const run = await liveRun("pulse", "pulse", "uses data");
  await run.say({ dataset: "used while one looks" });
  const row = page.getByRole("region", { name: "Datasets" }).getByRole("row", { name: /used while one looks/ });
  await expect(row).toBeVisible({ timeout: 20_000 });
  await row.getByRole("link").click();
  await expect(page.getByRole("table", { name: "Runs" })).toContainText("uses data");
});
