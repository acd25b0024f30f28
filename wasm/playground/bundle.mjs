// Puts the page into dist: its scripts with the package in them, the module that says where a flow is, what is static.
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
// Whoever asks for the page in the middle of this finds it whole, or not at all.
const made = join(here, "dist.new");
await rm(made, { recursive: true, force: true });
await mkdir(made);

/** The package is built around the module of this page. */
const module = {
  name: "module",
  setup({ onResolve }) {
    onResolve({ filter: /\/pkg\/hallpass_web\.js$/ }, () => ({ path: join(here, "pkg/hallpass_web.js") }));
  },
};
const options = { bundle: true, outdir: made, target: "es2022", minify: true, logLevel: "warning" };
await build({
  ...options,
  entryPoints: ["main.ts", "tab.ts"].map((name) => join(here, "src", name)),
  format: "esm",
  splitting: true,
  plugins: [module],
});
await build({
  ...options,
  entryPoints: [join(here, "src/theme.ts"), join(here, "style.css")],
  format: "iife",
  outbase: here,
  entryNames: "[name]",
});
for (const name of ["index.html", "tab.html", "icon.svg"]) await cp(join(here, name), join(made, name));
await cp(join(here, "pkg/hallpass_web_bg.wasm"), join(made, "hallpass.wasm"));
await rm(join(here, "dist"), { recursive: true, force: true });
await rename(made, join(here, "dist"));
