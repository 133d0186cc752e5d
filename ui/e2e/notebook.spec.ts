// What a run records by itself: the console, the code, the environment, the lineage, and what they say of two runs side by side.
import type { Page } from "@playwright/test";
import { address, expect, expectAccessible, test } from "./test.ts";

interface Row {
  run_id: string;
  name: string;
}

async function runOf(page: Page, name: string): Promise<string> {
  const answer = await page.request.get(`${address("notebook")}/api/v1/experiments/runs?limit=10`);
  const { runs } = (await answer.json()) as { runs: Row[] };
  return runs.find((run) => run.name === name)!.run_id;
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("a run shows how it ran, what it printed, with which code and where", async ({ page }) => {
      test.slow(); // many steps
      const runId = await runOf(page, "second");
      await page.goto(`${address("notebook")}/runs/${runId}`);
      const how = page.getByRole("region", { name: "How it ran" });
      await expect(how).toContainText("train.py --lr 0.2 --name second");
      await expect(how).toContainText("with uncommitted changes");
      await expect(how).toContainText(`lineal reproduce ${runId.slice(0, 16)}`);
      await expect(page.getByRole("region", { name: "Datasets" })).toContainText("51 rows, 2 columns");
      await expect(page.getByRole("region", { name: "What it took" })).toContainText("Peak memory");
      await expectAccessible(page);

      await page.getByRole("tab", { name: "Console" }).click();
      const lines = page.getByRole("region", { name: "Lines of the console" });
      await expect(lines).toContainText("step  10 loss");
      await expect(lines).toContainText("warning: step 20 was slow");
      await page.getByRole("searchbox", { name: "Search the console" }).fill("STEP 40");
      const said = page.getByRole("region", { name: "Console", exact: true }).getByRole("status");
      await expect(said).toHaveText("1 match");
      await expect(lines.getByRole("listitem").filter({ hasText: "warning: step 40" })).toBeVisible();
      await expectAccessible(page);
      // To its place, from match to match, to a line and to a time; the address leads there.
      await lines.getByRole("button").click();
      await expect(said).toHaveText("1 of 1 match");
      await expect(lines).toContainText("step  39 loss");
      const search = page.getByRole("searchbox", { name: "Search the console" });
      await search.fill("warning");
      await expect(said).toHaveText("3 of 3 matches");
      await search.press("Shift+Enter");
      await expect(said).toHaveText("2 of 3 matches");
      await search.press("Enter");
      await expect(said).toHaveText("3 of 3 matches");
      await search.press("Enter");
      await expect(said).toContainText("No further match");
      await expectAccessible(page);
      await search.fill("");
      const place = page.getByRole("textbox", { name: "Go to a line or a time" });
      await place.fill("5");
      await place.press("Enter");
      await expect(page).toHaveURL(/line=5(&|$)/);
      await place.fill("some day");
      await place.press("Enter");
      await expect(said).toContainText("A line’s number, or a time");
      await page.reload();
      await expect(lines.getByRole("button", { name: "Line 5", exact: true })).toBeVisible();
      await expect(lines.locator(".marked")).toHaveText(/^\s*5\s/);

      await page.getByRole("tab", { name: "Code" }).click();
      await expect(page.getByRole("region", { name: "Code", exact: true })).toContainText("https://github.com/ann/digits.git");
      await expect(page.getByRole("region", { name: "Changes of train.py" })).toContainText("abs(1.0 - weight) ** 1.5");
      const changes = page.getByRole("region", { name: "Changes of train.py" });
      await expect(changes.locator("b").first()).toHaveText("(1.0 - weight) ** 2");
      await page.getByRole("region", { name: "Untracked files" }).getByText("notes.py").click();
      await expect(page.getByLabel("notes.py")).toHaveText("# to be tried: warmup\n");
      await expect(page.locator("body")).not.toContainText("hunter2");
      await expectAccessible(page);

      await page.getByRole("tab", { name: "Environment" }).click();
      await page.getByRole("searchbox", { name: "Find a package" }).fill("numpy");
      await expect(page.getByRole("region", { name: "Packages" }).getByRole("row")).toHaveCount(2);
      await expect(page.getByRole("region", { name: "Machine" })).toContainText("cores");
      await expectAccessible(page);
    });

    test("of a resumed run, each attempt's code and what it printed", async ({ page }) => {
      await page.goto(`${address("notebook")}/runs/resumed`);
      await expect(page.getByRole("region", { name: "How it ran" })).toContainText("resumed.py 10");
      await page.getByRole("combobox", { name: "Attempt" }).selectOption("1");
      await expect(page.getByRole("region", { name: "How it ran" })).toContainText("resumed.py 0");
      await page.getByRole("tab", { name: "Code" }).click();
      await expect(page.getByText("Not all attempts had the same code and command.")).toBeVisible();
      const changes = page.getByRole("region", { name: "Changes of resumed.py" });
      await expect(changes).toContainText("# change 0");
      await expectAccessible(page);
      await page.getByRole("combobox", { name: "Attempt" }).selectOption("2");
      await expect(changes).toContainText("# change 10");
      await page.getByRole("tab", { name: "Attempts" }).click();
      await page.getByRole("table", { name: "Attempts" }).getByRole("link").first().click();
      await expect(changes).toContainText("# change 0");
      await page.getByRole("tab", { name: "Console" }).click();
      await expect(page.getByRole("region", { name: "Lines of the console" }).getByRole("listitem")).toHaveText([/from 0\s*attempt 1/, /from 10\s*attempt 2/]);
      await expectAccessible(page);
    });

    test("lineage leads from the data to what came of it", async ({ page }) => {
      await page.goto(`${address("notebook")}/runs/${await runOf(page, "second")}?tab=lineage`);
      const graph = page.getByRole("region", { name: /Lineage/ });
      await expect(graph.getByRole("listitem")).toHaveText([/train\s*dataset/, /second\s*run/, /weights.txt\s*artifact/, /score\s*run/]);
      await expectAccessible(page);
      await graph.getByRole("link", { name: /train/ }).click();
      await expect(page.getByRole("heading", { level: 1, name: "train" })).toBeVisible();
      await expect(page.getByRole("region", { name: /Lineage/ }).getByRole("link", { name: /second/ })).toBeVisible();
      await expectAccessible(page);
      await page.getByRole("region", { name: /Lineage/ }).getByRole("link", { name: /second/ }).click();
      await expect(page.getByRole("heading", { level: 1, name: "second" })).toBeVisible();
    });

    test("a run that recorded nothing by itself says so", async ({ page }) => {
      await page.goto(`${address("desk")}/`);
      await page.getByRole("grid", { name: "Runs" }).getByRole("link").first().click();
      await expect(page.getByRole("region", { name: "How it ran" })).toContainText("Not recorded");
      await expectAccessible(page);
    });

    test("two runs side by side say why they are not comparable, and where they part", async ({ page }) => {
      const [first, second] = [await runOf(page, "first"), await runOf(page, "second")];
      await page.goto(`${address("notebook")}/compare?runs=${first},${second}`);
      await expect(page.getByText("Not comparable: other data, code")).toBeVisible();
      await page.getByRole("button", { name: /Not comparable/ }).click();
      await expect(page.getByRole("note").filter({ hasText: "not comparable in everything" })).toBeInViewport();
      await expect(page.getByRole("note").filter({ hasText: "not comparable in everything" })).toContainText("train (training)");
      await expect(page.getByRole("region", { name: "Changes of train.py" })).toContainText("abs(1.0 - weight) ** 1.5");
      const parts = page.getByRole("table", { name: "First step at which the curves differ" });
      await expect(parts.getByRole("row", { name: /train\/loss/ })).toContainText("step 0");
      await expect(page.getByRole("table", { name: "Datasets that differ" })).toContainText("train");
      await expectAccessible(page);

      // What nobody recorded is said, too; commands as a shell takes them.
      const around = page.getByRole("table", { name: "Command, environment and hardware that differ" });
      await expect(around).toContainText("train.py --lr 0.2 --name second");
      await page.goto(`${address("notebook")}/compare?runs=${first},resumed`);
      await expect(page.getByText("Not known:")).toContainText("resumed recorded no data");
    });
  });
}
