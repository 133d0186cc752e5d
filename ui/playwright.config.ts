import { defineConfig } from "@playwright/test";

// Debian's Chromium; elsewhere CHROMIUM=/path/to/chrome. Nothing is downloaded.
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  globalSetup: "./e2e/world.ts",
  outputDir: "test-results",
  // A test that needs a second chance is a bug of the page or of the test.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  forbidOnly: Boolean(process.env["CI"]),
  reporter: [["list"]],
  // Generous: what is waited for is a condition, and a busy machine of two cores is no fault.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  use: {
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: { executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] },
  },
});
