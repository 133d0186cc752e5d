// Every page in both themes: axe has nothing to say, one heading of the first level, and (LINEAL_SCREENSHOTS) pictures.
import { mkdirSync } from "node:fs";
import type { Page } from "@playwright/test";
import { RunsView } from "./places.ts";
import { address, expect, expectAccessible, test } from "./test.ts";

async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await page.waitForLoadState("load");
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

async function openRun(page: Page, site: string, filter: string): Promise<void> {
  await page.goto(`${address(site)}/?q=${encodeURIComponent(filter)}`);
  await new RunsView(page).table.getByRole("link").first().click();
  await expect(page.getByRole("tablist")).toBeVisible();
}

const PLACES: Record<string, (page: Page) => Promise<unknown>> = {
  runs: async (page) => {
    await page.goto(address("demo"));
    await expect(new RunsView(page).chart("train/accuracy").getByRole("img")).toBeVisible();
  },
  selected: async (page) => {
    await page.goto(address("demo"));
    await page.getByRole("grid").getByRole("checkbox").nth(2).check();
    await page.getByRole("grid").getByRole("checkbox").nth(3).check();
    await expect(page.getByRole("toolbar", { name: "Selected runs" })).toBeVisible();
  },
  grouped: async (page) => {
    await page.goto(`${address("demo")}/?group=tags.setting`);
    await expect(page.getByRole("button", { name: /3 runs/ }).first()).toBeVisible();
  },
  "wrong filter": async (page) => {
    await page.goto(address("demo"));
    await new RunsView(page).apply("metrics.val/accuracy >> 1");
    await expect(page.getByRole("alert")).toBeVisible();
  },
  odd: async (page) => {
    await page.goto(`${address("odd")}/?q=${encodeURIComponent("experiment = 'hostile' or name in ('not numbers', 'one spike')")}`);
    await expect(new RunsView(page).chart("all_nan")).toBeAttached();
  },
  empty: (page) => page.goto(address("empty")),
  missing: (page) => page.goto(`${address("demo")}/nowhere/at/all`),
  run: (page) => openRun(page, "demo", "tags.setting = 'wide'"),
  "failed run": (page) => openRun(page, "odd", "status = 'failed'"),
  "hostile run": (page) => openRun(page, "odd", "experiment = 'hostile'"),
  artifacts: async (page) => {
    await openRun(page, "odd", "name = 'files'");
    await page.getByRole("tab", { name: /Artifacts/ }).click();
    await expect(page.getByRole("region", { name: "Preview" })).toBeVisible();
  },
  attempts: async (page) => {
    await openRun(page, "odd", "name = 'three attempts'");
    await page.getByRole("tab", { name: /Attempts/ }).click();
    await expect(page.getByRole("table", { name: "Attempts" })).toBeVisible();
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    for (const [name, open] of Object.entries(PLACES)) {
      test(name, async ({ page, calm }) => {
        if (name === "wrong filter") calm.allowed.push(/status of 400/);
        await open(page);
        await settled(page);
        await expectAccessible(page);
        const folder = process.env["LINEAL_LOOKS"];
        if (folder) {
          mkdirSync(folder, { recursive: true });
          await page.screenshot({ path: `${folder}/${name.replace(" ", "-")}-${colorScheme}.png` });
        }
      });
    }
  });
}
