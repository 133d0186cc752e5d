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
