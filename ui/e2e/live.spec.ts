// Runs that go on while the page looks at them: nothing is reloaded, nothing jumps.
import { inkOf } from "./picture.ts";
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

test("a run appears, its values and curves follow, its end is told", async ({ page, liveRun }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("pulse")}/?cols=status,metrics.beat&q=${encodeURIComponent("name = 'comes'")}`);
  await expect(page.getByRole("heading", { name: "No run matches" })).toBeVisible();
  const live = await liveRun("pulse", "pulse", "comes");
  await expect(runs.link("comes")).toBeVisible();
  await expect(runs.row("comes")).toContainText("running");
  await live.say({ log: { beat: 0.25 }, step: 0 });
  await live.say({ log: { beat: 0.5 }, step: 1 });
  await expect(runs.row("comes")).toContainText("0.5");
  await expect(runs.chart("beat")).toContainText("all 2 points");
  await live.say({ log: { beat: 0.75, new_metric: 1 }, step: 2 });
  await expect(runs.row("comes")).toContainText("0.75");
  await expect(runs.chart("beat")).toContainText("all 3 points");
  await expect(runs.chart("new_metric")).toContainText("all 1 point");
  await expect.poll(async () => (await inkOf(runs.chart("beat"))).count).toBeGreaterThan(20);
  await live.say({ finish: "finished" });
  await expect(runs.row("comes")).toContainText("finished");
});

test("at the top of the newest runs a new one comes in; further down the rows stay where they are", async ({ page, liveRun }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("pulse")}/?sort=name&panel=0&q=${encodeURIComponent("name in ('before', 'another')")}`);
  await expect(runs.link("before")).toBeVisible();
  const place = (await runs.row("before").boundingBox())!.y;
  await liveRun("pulse", "pulse", "another");
  await expect(page.getByRole("button", { name: /new run/ }).or(runs.link("another"))).toBeVisible();
  expect((await runs.row("before").boundingBox())!.y).toBeGreaterThanOrEqual(place);
});

test("a running run is asked to stop, after a question", async ({ page, liveRun }) => {
  const live = await liveRun("pulse", "pulse", "goes on");
  await live.say({ log: { beat: 1 }, step: 0 });
  const runs = new RunsView(page);
  await page.goto(`${address("pulse")}/?q=${encodeURIComponent("name = 'goes on'")}`);
  await runs.link("goes on").click();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("button", { name: "Stop", exact: true })).toBeEnabled();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Ask it to stop" }).click();
  await expect(page.getByRole("button", { name: "Asked to stop" })).toBeDisabled();
  await expect(page.getByText("lineal.stop")).toBeVisible();
  await live.say({ finish: "finished" });
  await expect(page.getByRole("button", { name: "Asked to stop" })).toBeHidden();
});
