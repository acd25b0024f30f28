// A small web site on a loopback port: the pages of these tests, and the package as npm would lay it down.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../wasm", import.meta.url));
const PAGES = fileURLToPath(new URL("pages", import.meta.url));
/** Where clients are registered to come back to: a page of the application, or one that does nothing else. */
const PLACES = { "/": "/index.html", "/callback": "/index.html", "/auth/callback": "/callback.html" };
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

/** What a plain page needs to find the package by its name: what `exports` of its package.json says. */
const imports = Object.fromEntries(
  Object.entries(JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).exports)
    .filter(([, target]) => typeof target === "object")
    .map(([name, target]) => [join("hallpass-web", name), join("/hallpass-web", target.default ?? target.import)]),
);
const importMap = JSON.stringify({ imports });
const hash = createHash("sha256").update(importMap).digest("base64");

export class Site {
  /** What an address is answered with in place of its file: `{ status?, headers?, body? }`. */
  answers = new Map();
  /** The policy for scripts: what the package needs, and no more. */
  scripts = `'self' 'sha256-${hash}' 'wasm-unsafe-eval'`;

  /** Whether the policy demands that scripts say which texts become code (Trusted Types). */
  trusted = true;

  /** @param settings what the pages create the package with; read whenever a page loads */
  static async start(settings) {
    const site = new Site();
    site.settings = settings;
    site.server = createServer((request, response) => site.#answer(request, response)).listen(0, "127.0.0.1");
    await once(site.server, "listening");
    site.origin = `http://127.0.0.1:${site.server.address().port}`;
    return site;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  get policy() {
    const connects = ["'self'", this.settings.issuer, ...(this.settings.origins ?? [])].join(" ");
    return [
      "default-src 'none'",
      `script-src ${this.scripts}`,
      "worker-src 'self'",
      `connect-src ${connects}`,
      "base-uri 'none'",
      "form-action 'none'",
      ...(this.trusted ? ["require-trusted-types-for 'script'"] : []),
    ].join("; ");
  }

  #answer(request, response) {
    const { pathname } = new URL(request.url, "http://site");
    const { status = 200, headers = {}, body = this.#file(pathname) } = this.answers.get(pathname) ?? {};
    const found = body !== undefined;
    const type = TYPES[extname(pathname)] ?? TYPES[".html"];
    response.writeHead(found ? status : 404, {
      "content-type": type,
      "cache-control": pathname.startsWith("/hallpass-web/") ? "max-age=3600" : "no-store",
      ...(type === TYPES[".html"] || pathname.includes("worker") ? { "content-security-policy": this.policy } : {}),
      ...headers,
    });
    response.end(body);
  }

  #file(pathname) {
    if (pathname === "/settings.js") return `export const settings = ${JSON.stringify(this.settings)};`;
    const [folder, name] = pathname.startsWith("/hallpass-web/")
      ? [PACKAGE, pathname.slice("/hallpass-web".length)]
      : [PAGES, PLACES[pathname] ?? pathname];
    try {
      const bytes = readFileSync(join(folder, normalize(name)));
      if (name.endsWith(".html")) return bytes.toString().replace("IMPORT_MAP", importMap);
      // A worker has no import map.
      if (name.endsWith(".worker.js")) return bytes.toString().replace("hallpass-web", imports["hallpass-web"]);
      return bytes;
    } catch {
      return undefined;
    }
  }
}
