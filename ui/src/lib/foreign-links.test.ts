import { describe, expect, it } from "vitest";
import { translated } from "./foreign-links.ts";

describe("links that MLflow's client prints", () => {
  it("lead to the run", () => {
    expect(translated("/", "#/experiments/9736354236822368056/runs/931a55df26d94edd544b671ddfe91fd8")).toBe(
      "/runs/931a55df26d94edd544b671ddfe91fd8",
    );
    expect(translated("/t/acme/", "#/experiments/0/runs/r1")).toBe("/runs/r1?tenant=acme");
  });

  it("lead to the experiment, whose number is its id in decimal", () => {
    expect(translated("/", "#/experiments/9736354236822368056")).toBe("/experiments/871e7a97cd2aaf38");
    expect(translated("/", "#/experiments/10")).toBe("/experiments/000000000000000a");
    expect(translated("/t/a.b", "#/experiments/10")).toBe("/experiments/000000000000000a?tenant=a.b");
    expect(translated("/", "#/experiments/0")).toBe("/");
  });

  it("lead to the model and its version", () => {
    expect(translated("/", "#/models/wine%20forest")).toBe("/models/wine%20forest");
    expect(translated("/t/acme/", "#/models/wine/versions/3")).toBe("/models/wine/3?tenant=acme");
    expect(translated("/", "#/models/wine/versions/latest")).toBe("/models/wine");
  });

  it("may hold a percent sign that means itself", () => {
    expect(translated("/", "#/models/100%")).toBe("/models/100%25");
    expect(translated("/", "#/experiments/0/runs/50%")).toBe("/runs/50%25");
  });

  it("are nothing else", () => {
    for (const hash of ["", "#", "#main", "#/", "#/nonsense/1"]) expect(translated("/", hash)).toBeNull();
  });
});
