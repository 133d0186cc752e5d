import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  // Scripts and styles find each other wherever the page is served; the server writes the page's own links.
  experimental: { renderBuiltUrl: (name, { hostType }) => (hostType === "html" ? `/${name}` : { relative: true }) },
  build: {
    outDir: process.env["LINEAL_UI_OUT"] ?? "../src/lineal/server/static",
    emptyOutDir: true,
    target: "es2023",
    // The strict content security policy of the server allows no inline script and no data: URL of one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:7007", changeOrigin: true } } },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"] },
  // Vitest resolves Svelte's server build otherwise.
  ...(process.env["VITEST"] ? { resolve: { conditions: ["browser"] } } : {}),
});
