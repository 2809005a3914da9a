import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// One file without chunks: anywidget sends it to the browser as text, and the book copies only what a page names.
export default defineConfig({
  plugins: [react()],
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  build: {
    lib: { entry: "src/widget.js", formats: ["es"], fileName: () => "widget.mjs" },
    rolldownOptions: { output: { minify: true } }, // a library would keep its spaces
    target: "es2022",
  },
});
