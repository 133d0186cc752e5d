// Starts the real servers over real folders before the first test, and ends them after the last.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

export interface World {
  python: string;
  root: string;
  place: string;
  sites: Record<string, { url: string; folder: string }>;
}

const ROOT = resolve(import.meta.dirname, "../..");

function python(): string {
  const own = join(ROOT, ".venv/bin/python");
  return existsSync(own) ? own : "python3";
}

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  // For whoever writes tests: the line that `python -m tests.browser.world PLACE` printed, kept up in another terminal.
  if (process.env["LINEAL_WORLD"]) return undefined;
  const place = mkdtempSync(join(tmpdir(), "lineal-browser-"));
  const servers = spawn(python(), ["-m", "tests.browser.world", place], {
    cwd: ROOT,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONPATH: `${join(ROOT, "src")}:${ROOT}` },
  });
  const ended = new Promise<void>((done) => servers.once("exit", () => { done(); }));
  const stop = async () => {
    servers.stdin.end();
    await ended;
    rmSync(place, { recursive: true, force: true });
  };
  for await (const line of createInterface(servers.stdout)) {
    if (!line.startsWith("{")) continue;
    process.env["LINEAL_WORLD"] = JSON.stringify({ ...(JSON.parse(line) as World), place });
    return stop;
  }
  await stop();
  throw new Error("the servers under test did not start; what they said stands above");
}
