import { expect, test } from "vitest";
import { withoutBase } from "./base.ts";

test.each([
  ["/lineal/runs/a", "/lineal", "/runs/a"],
  ["/lineal", "/lineal", "/"],
  ["/lineal/", "/lineal", "/"],
  ["/linealx/runs", "/lineal", "/linealx/runs"],
  ["/runs/a", "", "/runs/a"],
])("%s below %s is %s", (pathname, below, wanted) => {
  expect(withoutBase(pathname, below)).toBe(wanted);
});
