// A server that asks who is there: signing in and out, tokens, tenants; in both themes, by keyboard, and for axe.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { TeamSite } from "./programs.ts";
import { RunsView } from "./places.ts";
import { expect, expectAccessible, test } from "./test.ts";

let place = "";
let team: TeamSite;

test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lineal-team-"));
  team = await TeamSite.start(join(place, "srv"));
});
test.afterAll(async () => {
  await team.program.end();
  rmSync(place, { recursive: true, force: true });
});

async function signIn(page: Page, user: string, password = team.password): Promise<void> {
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["LINEAL_LOOKS"];
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("whoever signs in is where they wanted to be, and is gone after signing out", async ({ page, calm }) => {
      calm.allowed.push(/status of 401/);
      await page.goto(`${team.url}/runs/acme1?tab=params`);
      await expect(page.getByRole("heading", { name: "Sign in to Lineal" })).toBeVisible();
      await expect(page.getByLabel("User")).toBeFocused();
      await expect(page.getByText("acme-1")).toBeHidden();
      await expectAccessible(page);
      await picture(page, `sign-in-${colorScheme}`);

      await signIn(page, "ada", "not this one");
      const alert = page.getByRole("alert");
      await expect(alert).toContainText("do not fit together");
      await expect(page.getByLabel("Password")).toBeFocused();
      await expect(page.getByLabel("Password")).toHaveValue("");
      await expectAccessible(page);
      await picture(page, `sign-in-wrong-${colorScheme}`);

      await page.getByLabel("Password").fill(team.password);
      await page.keyboard.press("Enter");
      await expect(page.getByRole("heading", { name: "acme-1" })).toBeVisible();
      await expect(page.getByRole("button", { name: "Add a tag" })).toBeVisible();
      expect(new URL(page.url()).pathname).toBe("/runs/acme1");
      await page.getByRole("button", { name: "Signed in as ada" }).click();
      await expectAccessible(page);
      await picture(page, `user-menu-${colorScheme}`);
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await expect(page.getByRole("heading", { name: "Sign in to Lineal" })).toBeVisible();
      await page.goto(`${team.url}/runs/acme1`);
      await expect(page.getByRole("heading", { name: "Sign in to Lineal" })).toBeVisible();
    });

    test("a token is made, shown once, and revoked", async ({ page, request }) => {
      await page.goto(`${team.url}/tokens`);
      await signIn(page, "ada");
      await page.getByRole("button", { name: "New token" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByLabel("What it is for")).toBeFocused();
      await dialog.getByLabel("What it is for").fill(`nightly ${colorScheme}`);
      await dialog.getByLabel("Ends after").selectOption({ label: "30 days" });
      await dialog.getByLabel("Role").selectOption("reader");
      await dialog.getByLabel("Tenant").selectOption("acme");
      await expectAccessible(page);
      await picture(page, `new-token-${colorScheme}`);
      await dialog.getByRole("button", { name: "Make the token" }).click();
      const secret = (await dialog.getByTestId("secret").locator("code").textContent()) ?? "";
      expect(secret).toMatch(/^lnl_[\w-]{43}$/);
      await expectAccessible(page);
      await picture(page, `token-shown-${colorScheme}`);
      const shown = { headers: { Authorization: `Bearer ${secret}` } };
      expect((await request.get(`${team.url}/api/v1/experiments`, shown)).status()).toBe(200);
      await dialog.getByRole("button", { name: "Done" }).click();
      await expect(page.getByText(secret)).toBeHidden();

      const row = page.getByRole("row").filter({ hasText: `nightly ${colorScheme}` });
      await expect(row).toContainText("reader");
      await expectAccessible(page);
      await picture(page, `tokens-${colorScheme}`);
      await row.getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await expect(row).toContainText("revoked");
      expect((await request.get(`${team.url}/api/v1/experiments`, shown)).status()).toBe(401);
    });
  });
}

test("who is in several tenants chooses among them, and the choice stays", async ({ page }) => {
  await page.goto(team.url);
  await signIn(page, "ada");
  const runs = new RunsView(page);
  await expect(runs.link("acme-1")).toBeVisible();
  await expect(runs.link("zeta-1")).toBeHidden();
  await page.getByRole("button", { name: "Tenant: acme" }).click();
  await page.getByRole("menuitemradio", { name: "zeta" }).click();
  await expect(runs.link("zeta-1")).toBeVisible();
  await expect(runs.link("acme-1")).toBeHidden();
  await page.goto(team.url);
  await expect(runs.link("zeta-1")).toBeVisible();
  await page.goto(`${team.url}/?tenant=acme`);
  await expect(runs.link("acme-1")).toBeVisible();
});

test("on a phone the top bar has room for the tenant, the places and the user", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${team.url}/runs/acme1`);
  await signIn(page, "ada");
  await expect(page.getByRole("heading", { name: "acme-1" })).toBeVisible();
  const bar = [page.getByRole("button", { name: "Tenant: acme" }), ...["Runs", "Datasets", "Models"].map((name) => page.getByRole("link", { name, exact: true })), page.getByRole("button", { name: "Signed in as ada" })];
  let before = 0;
  for (const one of bar) {
    const box = (await one.boundingBox())!;
    expect(box.x, await one.innerText()).toBeGreaterThanOrEqual(before);
    before = box.x + box.width;
  }
  expect(before).toBeLessThanOrEqual(390);
});

test("a member of one tenant sees no switch, of none is told what to do", async ({ page }) => {
  await page.goto(team.url);
  await signIn(page, "grace");
  await expect(new RunsView(page).link("acme-1")).toBeVisible();
  await expect(page.getByRole("button", { name: /^Tenant/ })).toBeHidden();
  // A reader is shown nothing that would be refused.
  await new RunsView(page).link("acme-1").click();
  await expect(page.getByRole("heading", { name: "acme-1" })).toBeVisible();
  for (const label of ["Edit the name", "Add a tag", "Add a note"]) await expect(page.getByRole("button", { name: label })).toBeHidden();
  await page.getByRole("button", { name: "More", exact: true }).first().click();
  await expect(page.getByRole("menuitem", { name: "Copy link" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: "Archive" })).toBeHidden();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Signed in as grace" }).click();
  await expect(page.getByRole("menuitem", { name: "grace" })).toContainText("reader");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page, "bob");
  await expect(page.getByRole("heading", { name: "You are a member of no tenant yet" })).toBeVisible();
  await expectAccessible(page);
});

test("one's own password is changed, and then it is the new one", async ({ page, calm }) => {
  calm.allowed.push(/status of 401/);
  await page.goto(team.url);
  await signIn(page, "grace");
  await page.getByRole("button", { name: "Signed in as grace" }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Current password").fill("not this one");
  await dialog.getByLabel("New password").fill("another good password");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Change it" }).click();
  await expect(dialog.getByRole("alert")).toContainText("no user of that name has that password");
  await dialog.getByLabel("Current password").fill(team.password);
  await dialog.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByRole("heading", { name: "Sign in to Lineal" })).toBeVisible();
  await expect(page.getByRole("status")).toContainText("signed out");
  await signIn(page, "grace", "another good password");
  await expect(new RunsView(page).link("acme-1")).toBeVisible();
});

test("who is disabled is shown the sign-in, wherever they are", async ({ page, calm }) => {
  calm.allowed.push(/status of 401|ERR_INCOMPLETE_CHUNKED/);
  await page.goto(team.url);
  await signIn(page, "ada");
  await expect(new RunsView(page).table).toBeVisible();
  await team.disable("ada");
  // The page may hear of it before it asks anything.
  const asked = page.evaluate(() => fetch("/api/v1/experiments").then((answer) => answer.status));
  expect(await asked).toBe(401);
  const filter = page.getByRole("combobox", { name: "Filter" });
  await filter.fill("metrics.loss > 0", { timeout: 2_000 }).then(() => filter.press("Enter", { timeout: 2_000 })).catch(() => undefined);
  await expect(page.getByRole("heading", { name: "Sign in to Lineal" })).toBeVisible();
});
