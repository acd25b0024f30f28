// What is published of the JavaScript: in one file what a program waits for when it loads the package, and in another
// what the first call needs. A file for each module would take a multiple of the time.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const require = createRequire(import.meta.url);

/** What the first call loads. */
const LATER = ["checking", "driver", "flights", "host", "native", "options", "resource", "waiting", "watching"];
/** What both files use: the first one has it. */
const SHARED = ["errors", "prompts", "results"];

/** What is shared is no export that anybody sees. */
const FIRST = `
  import * as shared from "shared";
  export * from "./index.js";
  Reflect.defineProperty(module.exports, "shared", { value: shared });
`;

/** Bundles what `./build` has compiled into `dist`, which holds a copy of that. */
export async function bundle(dist) {
  await Promise.all([
    write(join(dist, "index.js"), FIRST, [put("shared", SHARED), late()]),
    write(join(dist, "later.js"), exported(LATER), [borrowed()]),
  ]);
  writeFileSync(join(dist, "all.js"), 'module.exports = { ...require("./index.js"), ...require("./later.js") };\n');
  // The core needs nothing else of what the first call needs.
  const core = join(dist, "core.js");
  writeFileSync(core, readFileSync(core, "utf8").replace("./all.js", "./later.js"));
  const kept = ["all.js", "core.js", "index.js", "later.js", "vscode.js"];
  for (const name of readdirSync(dist)) {
    if (name.endsWith(".js") && !kept.includes(name)) rmSync(join(dist, name));
  }
}

function write(outfile, contents, plugins) {
  return build({
    stdin: { contents, resolveDir: join(here, "ts"), loader: "ts" },
    outfile,
    plugins,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node18",
    // Without comments and space; the names stay, for those who read a stack.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "warning",
    allowOverwrite: true,
  });
}

const exported = (modules) => modules.map((module) => `export * from "./${module}.js";`).join("\n");
const nameOf = (path) => /^\.\/(\w+)\.js$/.exec(path)?.[1];

/** Several modules under the name of one. */
function put(name, modules) {
  return plugin(
    name,
    (path) => path === name,
    () => ({ contents: exported(modules), resolveDir: join(here, "ts") }),
  );
}

/** In place of each module that is loaded later: functions of the same names, which load it when they are called. */
function late() {
  return plugin(
    "late",
    (path) => LATER.includes(nameOf(path)),
    (path) => {
      const functions = Object.entries(require(`./dist/${nameOf(path)}.js`)).filter(
        ([, it]) => typeof it === "function",
      );
      const lines = functions.map(
        ([name]) => `export function ${name}(...args) {
        const it = require("./later.js").${name};
        return new.target ? new it(...args) : it(...args);
      }`,
      );
      return { contents: lines.join("\n") };
    },
    ["./later.js"],
  );
}

/** In place of each module that the first file has: what it has of it. */
function borrowed() {
  const load = (path) => {
    const names = Object.keys(require(`./dist/${nameOf(path)}.js`));
    return { contents: `export const { ${names.join(", ")} } = require("./index.js").shared;` };
  };
  return plugin("borrowed", (path) => SHARED.includes(nameOf(path)), load, ["./index.js"]);
}

function plugin(namespace, concerns, load, external = []) {
  return {
    name: namespace,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, namespace: from }) => {
        if (from === namespace && external.includes(path)) return { path, external: true };
        return concerns(path) ? { path, namespace } : undefined;
      });
      onLoad({ filter: /.*/, namespace }, ({ path }) => load(path));
    },
  };
}
