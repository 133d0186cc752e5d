// Python programs that a test talks to, a line at a time.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { World } from "./world.ts";

export function world(): World {
  const told = process.env["LINEAL_WORLD"];
  if (!told) throw new Error("the servers are not up: run these through playwright.config.ts");
  return JSON.parse(told) as World;
}

class Program {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #reader: Interface;
  readonly #lines: AsyncIterator<string>;

  constructor(module: string, args: string[]) {
    const { python, root } = world();
    const env = { ...process.env, PYTHONPATH: `${join(root, "src")}:${root}` };
    this.#process = spawn(python, ["-m", module, ...args], { cwd: root, stdio: ["pipe", "pipe", "inherit"], env });
    this.#reader = createInterface(this.#process.stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  async read(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done) throw new Error("the program ended; what it said stands above");
    return next.value;
  }

  async ask(line: string): Promise<void> {
    this.#process.stdin.write(`${line}\n`);
    const answer = await this.read();
    if (answer !== "ok") throw new Error(`expected ok, not ${answer}`);
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((done) => this.#process.once("exit", done));
    this.#process.stdin.end();
    await ended;
    this.#reader.close();
  }
}

/** A run that is going on, in a process of its own. */
export class LiveRun {
  private constructor(
    readonly run_id: string,
    readonly program: Program,
  ) {}

  static async start(folder: string, experiment: string, name: string): Promise<LiveRun> {
    const program = new Program("tests.browser.live", [folder, experiment, name]);
    const { run_id } = JSON.parse(await program.read()) as { run_id: string };
    return new LiveRun(run_id, program);
  }

  say(what: { log?: Record<string, number>; step?: number; tags?: Record<string, string>; note?: string; dataset?: string; finish?: string }) {
    return this.program.ask(JSON.stringify(what));
  }
}

/** A server of the test's own, which it may kill and start again at the same address. */
export class OwnSite {
  private constructor(
    readonly url: string,
    readonly program: Program,
  ) {}

  static async start(folder: string): Promise<OwnSite> {
    const program = new Program("tests.browser.site", [folder]);
    const { url } = JSON.parse(await program.read()) as { url: string };
    return new OwnSite(url, program);
  }

  kill = () => this.program.ask("kill");
  restart = () => this.program.ask("start");
}

/** `lineal serve --auth`, with people and runs. */
export class TeamSite {
  private constructor(
    readonly url: string,
    readonly password: string,
    readonly program: Program,
  ) {}

  static async start(folder: string): Promise<TeamSite> {
    const program = new Program("tests.browser.team", [folder]);
    const { url, password } = JSON.parse(await program.read()) as { url: string; password: string };
    return new TeamSite(url, password, program);
  }

  disable = (user: string) => this.program.ask(`disable ${user}`);
}
