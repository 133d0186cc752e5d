// Registered models: which there are, which version is in use and why, and how one comes into use.
import type { Page } from "@playwright/test";
import { address, expect, expectAccessible, test } from "./test.ts";

interface Row {
  run_id: string;
  name: string;
}

/** A model of three versions, made by the three best runs of the desk's first experiment. Its name is the test's own. */
async function register(page: Page, base: string, name: string): Promise<Row[]> {
  const api = `${base}/api/v1`;
  const answer = await page.request.get(`${api}/experiments/runs?limit=3`);
  const { runs } = (await answer.json()) as { runs: Row[] };
  expect(runs).toHaveLength(3);
  const said = async (method: "post" | "put", path: string, data: object) => {
    const response = await page.request[method](`${api}${path}`, { data });
    expect(response.ok(), `${path}: ${await response.text()}`).toBe(true);
  };
  await said("post", "/models", { name, description: "Reads digits.", tags: { owner: "ann" } });
  for (const run of runs) await said("post", `/models/${encodeURIComponent(name)}/versions`, { run_id: run.run_id, format: "safetensors", description: `by ${run.name}` });
  await said("post", `/models/${encodeURIComponent(name)}/versions/1/stage`, { stage: "production", why: "the first" });
  await said("put", `/models/${encodeURIComponent(name)}/aliases/champion`, { version: 2, why: "better" });
  return runs;
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a model is found, its version promoted with a reason, and the reason kept", async ({ page, calm }) => {
      test.slow(); // many steps
      calm.allowed.push(/status of 400/); // an alias that is none is refused
      const base = address("desk");
      const name = `digits & more ${colorScheme}`;
      const runs = await register(page, base, name);
      await page.goto(base);
      await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Models" }).click();
      await page.getByRole("searchbox", { name: "Search models" }).fill(`more ${colorScheme}`);
      const table = page.getByRole("region", { name: "Models" });
      await expect(table.getByRole("row")).toHaveCount(2);
      await expect(table).toContainText("production v1");
      await expectAccessible(page);
      await table.getByRole("link", { name }).click();

      await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
      const versions = page.getByRole("table", { name: "Versions" });
      await expect(versions.getByRole("row")).toHaveCount(4);
      await expect(versions.getByRole("row", { name: /v3/ })).toContainText(`by ${runs[2]!.name}`);
      await expectAccessible(page);

      await page.getByRole("button", { name: "Change v3" }).click();
      await page.getByRole("menuitem", { name: "Set the stage…" }).click();
      const dialog = page.getByRole("dialog", { name: `Stage of ${name} v3` });
      await dialog.getByLabel("Archive what is in production now").check();
      await dialog.getByLabel("Why").fill("shadowed for a week");
      await expectAccessible(page);
      await dialog.getByRole("button", { name: "Set the stage" }).click();
      await expect(dialog).toBeHidden();
      await expect(versions.getByRole("row", { name: /v3/ })).toContainText("production");
      await expect(versions.getByRole("row", { name: /v1/ })).toContainText("archived");
      const history = page.getByRole("region", { name: "History" });
      await expect(history.getByRole("listitem").filter({ hasText: "shadowed for a week" })).toHaveCount(2);

      await expect(page.getByText(`${name} v3: production.`)).toBeHidden({ timeout: 20_000 }); // else the next word moves it
      await page.getByRole("button", { name: "Change v3" }).click();
      await page.getByRole("menuitem", { name: "Set an alias…" }).click();
      const naming = page.getByRole("dialog", { name: `Alias of ${name} v3` });
      await naming.getByLabel("Alias").fill("latest");
      await naming.getByRole("button", { name: "Set the alias" }).click();
      await expect(naming.getByRole("alert")).toContainText("latest");
      await naming.getByLabel("Alias").fill("@champion");
      await naming.getByRole("button", { name: "Set the alias" }).click();
      await expect(naming).toBeHidden();
      await expect(versions.getByRole("row", { name: /v3/ })).toContainText("@champion");
      await expect(history).toContainText("is @champion, which was v2");

      await versions.getByRole("row", { name: /v3/ }).getByRole("link", { name: "v3" }).click();
      await expect(page.getByRole("heading", { level: 1, name: `${name} v3` })).toBeVisible();
      await expect(page.getByRole("region", { name: "Load it in Python" })).toContainText(`load_model("${name}@champion")`);
      await expect(page.getByRole("region", { name: "History" })).toContainText("shadowed for a week");
      const chosen = page.getByRole("table", { name: "Runs that it was chosen over" });
      await expect(chosen.getByRole("row").nth(1)).toContainText(runs[2]!.name);
      expect(await chosen.getByRole("row").count()).toBeGreaterThan(2);
      await expect(page.getByRole("region", { name: "Beside v2" })).toBeVisible();
      await expect(page.getByRole("region", { name: /^Lineage/ }).getByRole("link", { name: runs[2]!.name })).toBeVisible();
      await expectAccessible(page);
      await page.reload();
      await expect(page.getByRole("heading", { level: 1, name: `${name} v3` })).toBeVisible();
      await page.getByRole("main").getByRole("link", { name: runs[2]!.name, exact: true }).first().click();
      await expect(page.getByRole("heading", { level: 1, name: runs[2]!.name })).toBeVisible();
      await page.getByRole("link", { name: `${name} v3` }).click();
      await expect(page.getByRole("heading", { level: 1, name: `${name} v3` })).toBeVisible();
    });
  });
}

test("where there are none, the page says how there comes one", async ({ page, calm }) => {
  calm.allowed.push(/status of 404/);
  await page.goto(`${address("empty")}/models`);
  await expect(page.getByText("run.log_model")).toBeVisible();
  await expectAccessible(page);
  await page.goto(`${address("empty")}/models/nothing`);
  await expect(page.getByRole("alert")).toContainText("nothing");
  await expectAccessible(page);
});

test("a model's page shows a version that is added while it is open, and the list does", async ({ page, calm }) => {
  calm.jumpsAllowed = true; // a new version comes in above the others, as a new run does
  const base = address("desk");
  const name = "added to while one looks";
  const runs = await register(page, base, name);
  await page.goto(`${base}/models/${encodeURIComponent(name)}`);
  const versions = page.getByRole("table", { name: "Versions" });
  await expect(versions.getByRole("row")).toHaveCount(4);
  const added = await page.request.post(`${base}/api/v1/models/${encodeURIComponent(name)}/versions`, { data: { run_id: runs[0]!.run_id, description: "by hand" } });
  expect(added.ok()).toBe(true);
  await expect(versions.getByRole("row", { name: /v4/ })).toContainText("by hand");
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "Models" }).click();
  const row = page.getByRole("region", { name: "Models" }).getByRole("row", { name });
  await expect(row).toContainText("4");
  const staged = await page.request.post(`${base}/api/v1/models/${encodeURIComponent(name)}/versions/4/stage`, { data: { stage: "staging" } });
  expect(staged.ok()).toBe(true);
  await expect(row).toContainText("staging v4");
});

test("a former name leads to the one of today", async ({ page, calm }) => {
  calm.allowed.push(/status of 404/);
  const base = address("desk");
  const [former, name] = ["called so once", "called so today"];
  await register(page, base, former);
  const renamed = await page.request.patch(`${base}/api/v1/models/${encodeURIComponent(former)}`, { data: { name } });
  expect(renamed.ok()).toBe(true);
  await page.goto(`${base}/models/${encodeURIComponent(former)}`);
  await expect(page.getByRole("alert")).toContainText(`renamed to '${name}'`);
  await page.getByRole("link", { name: `Go to ${name}` }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await page.goto(`${base}/models/${encodeURIComponent(former)}/2`);
  await page.getByRole("link", { name: `Go to ${name}` }).click();
  await expect(page.getByRole("heading", { level: 1, name: new RegExp(`${name} v2`) })).toBeVisible();
});
