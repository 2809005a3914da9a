// The portal's views: three entries, a manifest where settings.py looks for it, and a gzipped copy beside each file,
// which WhiteNoise sends to browsers that take it.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const compressed = {
  name: "compressed",
  apply: "build",
  async closeBundle() {
    const folder = here("./dist/assets");
    for (const name of (await readdir(folder)).filter((one) => /\.(js|css)$/.test(one))) {
      await writeFile(`${folder}/${name}.gz`, await promisify(gzip)(await readFile(`${folder}/${name}`), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: "/static/",
  plugins: [react(), compressed],
  resolve: {
    alias: { "@course/tree": here("../../../course/tree/src/index.js") },
    // The tree is taken from its own folder, and what it imports from this one: one React on a page.
    dedupe: ["react", "react-dom", "d3-hierarchy", "d3-selection", "d3-zoom"],
  },
  build: {
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ["conversation-tree", "leaderboard", "class-table"].map((name) => here(`./src/${name}.jsx`)),
    },
  },
});
