// Providers of every kind, and a door for the test: what is asked there is done in the extension host of this window.
const { mkdirSync, renameSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");
const vscode = require("vscode");
const { registerHallpassProvider } = require("hallpass/vscode");

exports.activate = (context) => {
  const settings = vscode.workspace.getConfiguration("hallpassProbe");
  const [issuer, folder] = [settings.get("issuer"), settings.get("folder")];
  const fails = () => {
    throw new Error("a callback that fails");
  };
  const kinds = {
    // What a listener and a log throw is of no interest to anybody.
    shared: { redirect: "loopback", log: fails },
    sealed: { redirect: "loopback", store: "secrets" },
    // The window decides how the browser comes back.
    remote: { uriHandler: true },
    code: {},
    broken: { redirect: "loopback", fetch: fails },
  };
  const providers = {};
  const changes = {};
  for (const [kind, options] of Object.entries(kinds)) {
    const provider = registerHallpassProvider(context, {
      id: `probe-${kind}`,
      label: kind[0].toUpperCase() + kind.slice(1),
      provider: { issuer, clientId: "public", scopes: ["openid", "email", "offline_access"] },
      home: join(folder, "homes", kind),
      ...options,
    });
    changes[kind] = [];
    context.subscriptions.push(
      provider.onDidChangeSessions(({ added, changed, removed }) => {
        changes[kind].push({ added: added.length, changed: changed.length, removed: removed.length });
      }),
      provider.onDidChangeSessions(fails),
    );
    providers[kind] = provider;
  }

  const doings = {
    process: () => ({ pid: process.pid, remote: vscode.env.remoteName, ui: vscode.env.uiKind }),
    sessions: ({ kind, scopes }) => providers[kind].getSessions(scopes),
    getSession: ({ kind, options }) => vscode.authentication.getSession(`probe-${kind}`, [], options),
    remove: ({ kind, id }) => providers[kind].removeSession(id),
    changes: ({ kind }) => changes[kind],
  };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const { what, ...wanted } = JSON.parse(body);
    try {
      response.end(JSON.stringify({ ok: (await doings[what](wanted)) ?? null }));
    } catch (error) {
      const { name, message, code } = error;
      response.end(JSON.stringify({ error: { name, message, code } }));
    }
  });
  server.listen(0, "127.0.0.1", () => {
    const doors = join(folder, "doors");
    mkdirSync(doors, { recursive: true });
    const door = join(doors, vscode.workspace.workspaceFolders[0].name);
    writeFileSync(`${door}.new`, String(server.address().port));
    renameSync(`${door}.new`, door);
  });
  context.subscriptions.push({ dispose: () => server.close() });
};
