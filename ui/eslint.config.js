import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["node_modules/", "dist/", "src/api/schema.ts", "playwright-report/", "test-results/"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  { files: ["**/*.svelte"], languageOptions: { parserOptions: { parser: ts.parser } } },
  { files: ["**/*.svelte.ts"], languageOptions: { parser: ts.parser } },
  // Playwright reads from a fixture's first parameter which others it needs: {} is "none".
  { files: ["e2e/**"], rules: { "no-empty-pattern": "off" } },
  {
    rules: {
      // Import from the module that defines a name: no barrels.
      "no-restricted-syntax": [
        "error",
        { selector: "ExportAllDeclaration", message: "no barrels: import from the module that defines the name" },
        { selector: "ExportNamedDeclaration[source]", message: "no re-exports: import from the module that defines the name" },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "svelte/no-navigation-without-resolve": "off",
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
);
