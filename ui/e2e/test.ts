// `test` with a page that must stay calm: no console errors, no policy violations, nothing that jumps.
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { LiveRun, OwnSite, world } from "./programs.ts";

interface Shift {
  value: number;
  sources: string[];
}

declare global {
  interface Window {
    linealShifts: Shift[];
  }
}

/** What moves without anybody having touched anything: at loading, when data come, when runs go on. */
function watchShifts() {
  window.linealShifts = [];
  let touched = -Infinity;
  for (const kind of ["pointerdown", "keydown", "input", "wheel"]) {
    addEventListener(kind, (event) => (touched = event.timeStamp), { capture: true, passive: true });
  }
  // The browser forgives half a second after an input; a busy machine answers later than that.
  const FORGIVEN_MS = 2_000;
  let answered = -Infinity; // what an input asked the server for
  const ask = window.fetch;
  window.fetch = async (...given) => {
    const isCaused = performance.now() - touched < FORGIVEN_MS;
    try {
      return await ask(...given);
    } finally {
      if (isCaused) answered = performance.now();
    }
  };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const shift = entry as PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] };
      if (shift.hadRecentInput || shift.startTime - Math.max(touched, answered) < FORGIVEN_MS) continue;
      const sources = shift.sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 120) : String(node?.textContent)));
      window.linealShifts.push({ value: shift.value, sources });
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** What a test allows the page to complain about, because the test provokes it. */
export interface Calm {
  readonly complaints: string[];
  allowed: RegExp[];
  jumpsAllowed: boolean;
}

interface Fixtures {
  calm: Calm;
  liveRun: (site: string, experiment: string, name: string) => Promise<LiveRun>;
  ownSite: (folder: string) => Promise<OwnSite>;
}

export const test = base.extend<Fixtures>({
  calm: [
    async ({ page }, use) => {
      // The tests themselves read pixels back.
      const calm: Calm = { complaints: [], allowed: [/willReadFrequently/], jumpsAllowed: false };
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") calm.complaints.push(message.text());
      });
      page.on("pageerror", (error) => calm.complaints.push(`uncaught: ${error.stack ?? String(error)}`));
      await page.addInitScript(watchShifts);
      await use(calm);
      const unexpected = calm.complaints.filter((text) => !calm.allowed.some((pattern) => pattern.test(text)));
      expect(unexpected, "the console stays silent").toEqual([]);
      if (calm.jumpsAllowed || page.isClosed()) return;
      const jumps = await page.evaluate(() => window.linealShifts);
      expect(jumps, "nothing jumps").toEqual([]);
    },
    { auto: true },
  ],
  liveRun: async ({}, use) => {
    const runs: LiveRun[] = [];
    await use(async (site, experiment, name) => {
      const run = await LiveRun.start(folder(site), experiment, name);
      runs.push(run);
      return run;
    });
    for (const run of runs) await run.program.end();
  },
  ownSite: async ({}, use) => {
    const sites: OwnSite[] = [];
    await use(async (where) => {
      const site = await OwnSite.start(where);
      sites.push(site);
      return site;
    });
    for (const site of sites) await site.program.end();
  },
});

function site(name: string): { url: string; folder: string } {
  const found = world().sites[name];
  if (!found) throw new Error(`no site ${name}`);
  return found;
}

export const address = (name: string): string => site(name).url;
export const folder = (name: string): string => site(name).folder;

/** axe has nothing to say against the page as it stands. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const said = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html.slice(0, 200)).join("\n  ")}`);
  expect(said, "axe finds nothing").toEqual([]);
}

export { expect };
