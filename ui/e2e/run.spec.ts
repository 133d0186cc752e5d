// One run: what it was, what it says, what it left behind.
import type { Page } from "@playwright/test";
import { RunsView } from "./places.ts";
import { address, expect, test } from "./test.ts";

async function open(page: Page, site: string, name: string): Promise<void> {
  await page.goto(`${address(site)}/?q=${encodeURIComponent(`name = '${name.replaceAll("'", "''")}'`)}`);
  await new RunsView(page).table.getByRole("link").first().click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

test("params are a tree that the arrow keys walk", async ({ page }) => {
  await open(page, "shelf", "h2");
  const tree = page.getByRole("tree", { name: "Params" });
  const model = tree.getByRole("treeitem", { name: /^model/ });
  await expect(tree.getByRole("treeitem", { name: /^kind/ })).toContainText("h");
  await model.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(model).toHaveAttribute("aria-expanded", "false");
  await expect(tree.getByRole("treeitem", { name: /^kind/ })).toBeHidden();
  await page.keyboard.press("ArrowRight");
  await expect(tree.getByRole("treeitem", { name: /^kind/ })).toBeVisible();
});

test("a locked run says so in the table and on its page, and refuses what is edited", async ({ page, request, calm }) => {
  calm.allowed.push(/status of 409/); // the browser says so itself
  const site = address("desk");
  await open(page, "desk", "h2");
  const runId = new URL(page.url()).pathname.split("/").pop() ?? "";
  const body = { data: { run_ids: [runId] }, headers: { origin: site } };
  expect((await request.post(`${site}/api/v1/runs/lock`, body)).ok()).toBe(true);
  await page.reload();
  await expect(page.getByText("This run is locked: it refuses changes")).toBeVisible();
  await page.getByRole("button", { name: "Edit the name" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("after the lock");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(/is locked: unlock it first/)).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.goto(`${site}/?q=${encodeURIComponent("name = 'h2'")}`);
  await expect(new RunsView(page).table.getByRole("img", { name: "Locked" })).toBeVisible();
  expect((await request.post(`${site}/api/v1/runs/unlock`, body)).ok()).toBe(true);
  await expect(page.getByRole("img", { name: "Locked" })).toBeHidden(); // it is told, and the page follows
});

test("a note is written, previewed, saved and read again; ten thousand characters are no matter", async ({ page }) => {
  await open(page, "desk", "h0");
  await page.keyboard.press("e");
  const note = page.getByRole("textbox", { name: "Note" });
  await note.fill(`# Seen\n\n**bold** ${"ä word 🧪 ".repeat(1_200)}`);
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByRole("heading", { name: "Seen" })).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(note).toBeHidden();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Seen" })).toBeVisible();
  await expect(page.getByText("ä word 🧪").first()).toBeVisible();
});

test("a note that was not saved survives a reload", async ({ page }) => {
  await open(page, "desk", "h1");
  await page.keyboard.press("e");
  await page.getByRole("textbox", { name: "Note" }).pressSequentially("half a thou");
  await page.reload();
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page.getByRole("textbox", { name: "Note" })).toHaveValue("half a thou");
});

test("tags are added, changed and removed", async ({ page }) => {
  await open(page, "desk", "h2");
  await page.getByRole("button", { name: "Add a tag" }).click();
  await page.getByRole("textbox", { name: "Key" }).fill("stage");
  await page.getByRole("textbox", { name: "Value", exact: true }).fill("draft");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("button", { name: "Edit tag stage: draft" }).click();
  await page.getByRole("textbox", { name: "Value of stage" }).fill("done");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("button", { name: "Edit tag stage: done" })).toBeVisible();
  await page.getByRole("button", { name: "Remove tag stage" }).click();
  await expect(page.getByRole("button", { name: /Edit tag stage/ })).toBeHidden();
});

test("a failed run shows its error, and attempts their fates", async ({ page }) => {
  await open(page, "odd", "failed");
  await expect(page.getByRole("region", { name: "Error" })).toContainText("the loss is <b>gone</b>");
  await expect(page.getByText("failed").first()).toBeVisible();
  await open(page, "odd", "three attempts");
  await page.getByRole("tab", { name: /Attempts/ }).click();
  await expect(page.getByRole("table", { name: "Attempts" }).getByRole("row")).toHaveCount(4);
});

test("artifacts are previewed as what they are, and none of them runs", async ({ page }) => {
  await open(page, "odd", "files");
  await page.getByRole("tab", { name: /Artifacts/ }).click();
  const tree = page.getByRole("tree", { name: "Artifacts" });
  const preview = page.getByRole("region", { name: "Preview" });
  const choose = (name: string) => tree.getByRole("treeitem", { name: new RegExp(`^${name}`) }).click();
  await choose("plain.txt");
  await expect(preview).toContainText("<b>not bold</b>");
  await choose("readme.md");
  await expect(preview.getByRole("heading", { name: "Title" })).toBeVisible();
  await choose("model.json");
  await expect(preview).toContainText("layers");
  await choose("curve.csv");
  await expect(preview.getByRole("table").getByRole("row")).toHaveCount(4);
  await choose("red.png");
  await expect(preview.getByRole("img")).toBeVisible();
  await expect(preview).toContainText("1 × 1");
  await choose("weights.bin");
  await expect(preview.getByRole("link", { name: /Download/ })).toBeVisible();
  await choose("broken.json");
  await expect(preview).toContainText("{not json");
  await choose("large.txt");
  await expect(preview).toContainText("xxxxxxxx");
  await choose("hostile.html");
  await expect(preview).toContainText(/hostile\.html/);
  await choose("hostile.svg");
  await expect(preview).toContainText(/hostile\.svg/);
  expect(await page.title()).not.toContain("owned");
});

test("a download comes whole, as a download", async ({ page }) => {
  await open(page, "odd", "files");
  await page.getByRole("tab", { name: /Artifacts/ }).click();
  await page.getByRole("tree", { name: "Artifacts" }).getByRole("treeitem", { name: /^hostile\.html/ }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("region", { name: "Preview" }).getByRole("link", { name: "Download", exact: true }).click()]);
  expect(download.suggestedFilename()).toBe("hostile.html");
});

test("hostile names and notes are text, in the table and on the run's page", async ({ page }) => {
  const runs = new RunsView(page);
  await page.goto(`${address("odd")}/?q=${encodeURIComponent("experiment = 'hostile'")}`);
  await expect(runs.total).toHaveText("6 runs");
  for (const link of await runs.table.getByRole("link").all()) {
    const name = (await link.textContent()) ?? "";
    await link.click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await expect(page.getByRole("heading", { name: "A note" })).toBeVisible();
    expect(await page.title()).not.toMatch(/^owned/);
    expect(await page.locator("iframe, script:not([src])").count()).toBe(0);
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    await page.goBack();
    await expect(runs.total).toHaveText("6 runs");
  }
});
