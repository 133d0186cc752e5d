import { expect, test } from "vitest";
import { sourceText } from "./dataset-source.ts";

test("what MLflow's clients say of a source is an address, or a script", () => {
  expect(sourceText('{"uri": "s3://bucket/wine.csv"}')).toBe("s3://bucket/wine.csv");
  expect(sourceText('{"url": "https://example.org/wine.csv"}')).toBe("https://example.org/wine.csv");
  expect(sourceText('{"tags": {"mlflow.user": "anna", "mlflow.source.name": "old.py"}}')).toBe("old.py");
  expect(sourceText('{"tags": {"mlflow.source.name": "old.py", "mlflow.source.git.commit": "0123456789abcdef"}}')).toBe("old.py at 0123456789");
});

test("every other source stays as it is", () => {
  for (const source of ["data/wine.csv", "", "{no json", '{"tags": null}', '{"tags": {}}', '{"uri": 3}', "{}"]) expect(sourceText(source)).toBe(source);
  expect(sourceText(null)).toBe("");
});
