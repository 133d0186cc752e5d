// @vitest-environment node
import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, it } from "vitest";

it("schema.ts says what the server's OpenAPI document says (else: npm run types)", async () => {
  const document = new URL("../../../src/lineal/server/openapi.json", import.meta.url);
  const made = astToString(await openapiTS(document, { defaultNonNullable: false }));
  const kept = readFileSync(new URL("./schema.ts", import.meta.url), "utf8");
  expect(kept.endsWith(made)).toBe(true);
});
