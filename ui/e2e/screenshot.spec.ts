// The README's pictures: made by `make screenshots` (LINEAL_SCREENSHOTS names the folder), else left as they are.
import { inkOf } from "./picture.ts";
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

const FOLDER = process.env["LINEAL_SCREENSHOTS"];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    test("the runs of the demo, the best first, their curves beside them", async ({ page }) => {
      const runs = new RunsView(page);
      const query = new URLSearchParams({ q: "metrics.val/accuracy > 0.9", sort: "metrics.val/accuracy desc" });
      await page.goto(address("demo"));
      await page.getByRole("navigation", { name: "Experiments" }).getByRole("link", { name: /digits/ }).click();
      await page.goto(`${page.url()}?${query.toString()}`);
      await expect(runs.total).toBeVisible();
      for (const metric of ["train/accuracy", "train/loss"]) {
        await expect.poll(async () => (await inkOf(runs.chart(metric))).count).toBeGreaterThan(500);
      }
      if (FOLDER) await page.screenshot({ path: `${FOLDER}/dashboard-${colorScheme}.png` });
    });
  });
}
