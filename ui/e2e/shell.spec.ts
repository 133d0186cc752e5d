// What every page has: both themes, the keys, a strict policy, and a server that may go away.
import type { Page } from "@playwright/test";
import { address, expect, expectAccessible, folder, test } from "./test.ts";

/** By what is painted, not by what an attribute says. */
function brightness(page: Page): Promise<string> {
  return page.evaluate(() => {
    const painted = [document.body, document.documentElement].map((element) => getComputedStyle(element).backgroundColor);
    const color = painted.find((text) => text !== "rgba(0, 0, 0, 0)") ?? "white";
    const [red = 255, green = 255, blue = 255] = (color.match(/[\d.]+/g) ?? []).map(Number);
    const mean = (red + green + blue) / 3;
    return mean > 200 ? "light" : mean < 80 ? "dark" : `between (${color})`;
  });
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    test("the theme follows the system", async ({ page }) => {
      await page.goto(address("demo"));
      await expect.poll(() => brightness(page)).toBe(colorScheme);
      const other = colorScheme === "dark" ? "light" : "dark";
      await page.emulateMedia({ colorScheme: other });
      await expect.poll(() => brightness(page)).toBe(other);
    });
  });
}

test("? shows the keys, Escape puts them away", async ({ page }) => {
  await page.goto(address("demo"));
  await expect(page.getByRole("link", { name: "Lineal" })).toBeVisible();
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  await expect(dialog).toContainText("?");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});

test("nothing comes from anywhere else, and the policy is strict", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const answer = await page.goto(address("demo"));
  await expect(page.getByRole("link", { name: "Lineal" })).toBeVisible();
  const policy = answer?.headers()["content-security-policy"] ?? "";
  expect(policy).toMatch(/default-src '(none|self)'/);
  expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
  expect(asked.filter((url) => !url.startsWith(address("demo")))).toEqual([]);
});

test("a server that goes is said to be gone, and its return is noticed", async ({ page, ownSite, calm }) => {
  calm.allowed.push(/Failed to load resource|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/);
  const site = await ownSite(folder("desk"));
  await page.goto(site.url);
  await expect(page.getByRole("link", { name: "Lineal" })).toBeVisible();
  await site.kill();
  const banner = page.getByRole("status").filter({ hasText: /not connected/i });
  await expect(banner).toBeVisible({ timeout: 15_000 });
  await site.restart();
  await expect(banner).toBeHidden({ timeout: 15_000 });
});

test("the links that MLflow's client prints lead to the run and to its experiment", async ({ page }) => {
  const answer = await page.request.get(`${address("demo")}/api/v1/experiments/runs?limit=1`);
  const [run] = ((await answer.json()) as { runs: { run_id: string; name: string; experiment_id: string }[] }).runs;
  const number = BigInt(`0x${run!.experiment_id}`).toString();
  await page.goto(`${address("demo")}/#/experiments/${number}/runs/${run!.run_id}`);
  await expect(page.getByRole("heading", { level: 1, name: run!.name })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe(`/runs/${run!.run_id}`);
  await page.goto(`${address("demo")}/t/default/#/experiments/${number}`);
  await expect(page.getByRole("grid", { name: "Runs" })).toBeVisible();
  expect(page.url()).toBe(`${address("demo")}/experiments/${run!.experiment_id}?tenant=default`);
});
