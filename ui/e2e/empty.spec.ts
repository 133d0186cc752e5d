// Where there is nothing to show, the page says what to do next.
import { address, expect, test } from "./test.ts";

test("no runs at all: the lines that make the first one", async ({ page }) => {
  await page.goto(address("empty"));
  await expect(page.getByText("No runs yet")).toBeVisible();
  await expect(page.getByText("lineal.init(").first()).toBeVisible();
  await expect(page.getByText("lineal demo").first()).toBeVisible();
});

test("an experiment, a run and a page that are not there", async ({ page, calm }) => {
  calm.allowed.push(/status of 404/);
  await page.goto(`${address("demo")}/experiments/no-such-experiment`);
  await expect(page.getByText("There is no such experiment")).toBeVisible();
  await page.goto(`${address("demo")}/runs/no-such-run`);
  await expect(page.getByText("There is no such run")).toBeVisible();
  await page.goto(`${address("demo")}/nowhere/at/all`);
  await expect(page.getByRole("main").getByRole("link").or(page.getByRole("main").getByRole("button")).first()).toBeVisible();
});

test("nothing archived", async ({ page }) => {
  await page.goto(`${address("demo")}/?archived=1`);
  await expect(page.getByText("Nothing is archived")).toBeVisible();
});
