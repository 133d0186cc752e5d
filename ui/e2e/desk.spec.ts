// What can be done to runs from the table. Each test has an experiment of its own.
import type { Page } from "@playwright/test";
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

async function open(page: Page, letter: string): Promise<RunsView> {
  await page.goto(address("desk"));
  await page.getByRole("navigation", { name: "Experiments" }).getByRole("link", { name: `desk-${letter}` }).click();
  const runs = new RunsView(page);
  await expect(page.getByRole("heading", { level: 1, name: `desk-${letter}` })).toBeVisible();
  await expect(runs.total).toHaveText("3 runs");
  return runs;
}

test("tags the selected runs, and finds them by the tag", async ({ page }) => {
  const runs = await open(page, "b");
  await page.getByRole("checkbox", { name: "Select b0" }).check();
  await page.getByRole("checkbox", { name: "Select b2" }).check();
  await page.getByRole("button", { name: "Tag", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Tag 2 runs" });
  await dialog.getByLabel("Tag", { exact: true }).fill("reviewed");
  await dialog.getByLabel("Value", { exact: true }).fill("yes, by 🧪");
  await dialog.getByRole("button", { name: "Set tag" }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("Escape");
  await runs.apply("tags.reviewed = 'yes, by 🧪'");
  await expect(runs.total).toHaveText("2 runs");
  await expect.poll(async () => (await runs.names()).toSorted()).toEqual(["b0", "b2"]);
});

test("archives, shows what is archived, restores", async ({ page }) => {
  const runs = await open(page, "c");
  await page.getByRole("checkbox", { name: "Select c1" }).check();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await expect(runs.total).toHaveText("2 runs");
  await expect(runs.link("c1")).toBeHidden();
  await page.getByRole("button", { name: "Archived", exact: true }).click();
  await expect(runs.link("c1")).toBeVisible();
  await expect(runs.total).toHaveText("1 run");
  await page.getByRole("checkbox", { name: "Select c1" }).check();
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await expect(page.getByText("Nothing is archived")).toBeVisible();
  await page.getByRole("button", { name: "Archived", exact: true }).click();
  await expect(runs.total).toHaveText("3 runs");
});

test("what was archived can be taken back at once", async ({ page }) => {
  const runs = await open(page, "d");
  await page.getByRole("checkbox", { name: "Select d0" }).check();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await expect(runs.total).toHaveText("2 runs");
  await page.getByRole("status").getByRole("button", { name: "Undo" }).click();
  await expect(runs.total).toHaveText("3 runs");
});

test("two tabs: what one changes the other shows", async ({ page, context }) => {
  const runs = await open(page, "e");
  const second = await context.newPage();
  await second.goto(page.url());
  const there = new RunsView(second);
  await expect(there.total).toHaveText("3 runs");
  await page.getByRole("checkbox", { name: "Select e0" }).check();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await expect(runs.total).toHaveText("2 runs");
  await expect(there.link("e0")).toBeHidden();
  await expect(there.total).toHaveText("2 runs");
});

test("the keyboard alone: filter, walk, select, open, come back", async ({ page }) => {
  const runs = await open(page, "f");
  await page.keyboard.press("/");
  await expect(runs.filter).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(runs.filter).not.toBeFocused();
  const active = () => runs.table.getAttribute("aria-activedescendant");
  await page.keyboard.press("j");
  const first = await active();
  await page.keyboard.press("j");
  await expect.poll(active).not.toBe(first);
  await page.keyboard.press("k");
  await expect.poll(active).toBe(first);
  await page.keyboard.press("x");
  await expect(page.getByRole("checkbox", { name: "Select f2" })).toBeChecked();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("checkbox", { name: "Select f2" })).not.toBeChecked();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "f2" })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("heading", { level: 1, name: "desk-f" })).toBeVisible();
  await expect(runs.total).toHaveText("3 runs");
});

test("a run that is opened right after something changed is drawn in peace", async ({ page }) => {
  const runs = await open(page, "g");
  await page.getByRole("checkbox", { name: "Select g0" }).check();
  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await expect(runs.total).toHaveText("2 runs");
  await page.waitForTimeout(1_000); // until the live feed has told of it
  await runs.link("g1").click();
  await expect(page.getByRole("heading", { level: 1, name: "g1" })).toBeVisible();
  await page.goBack();
  await expect(runs.total).toHaveText("2 runs");
});

test("renames the selected run, by hand and by key", async ({ page }) => {
  const runs = await open(page, "a");
  await page.getByRole("checkbox", { name: "Select a1" }).check();
  await page.getByRole("toolbar", { name: "Selected runs" }).getByRole("button", { name: "Rename" }).click();
  const dialog = page.getByRole("dialog", { name: "Rename the run" });
  await expect(dialog.getByLabel("Name")).toHaveValue("a1");
  await dialog.getByLabel("Name").fill("the good one <b>");
  await dialog.getByRole("button", { name: "Rename", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(runs.link("the good one <b>")).toBeVisible();
  await page.keyboard.press("r");
  await expect(dialog.getByLabel("Name")).toHaveValue("the good one <b>");
  await page.keyboard.type("a one");
  await page.keyboard.press("Enter");
  await expect(runs.link("a one")).toBeVisible();
  await page.getByRole("checkbox", { name: "Select a0" }).check();
  await expect(page.getByRole("toolbar", { name: "Selected runs" }).getByRole("button", { name: "Rename" })).toBeHidden();
});
