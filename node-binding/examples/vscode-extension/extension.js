// A complete small extension: it signs in with the login that the command line has, shows the account in the status bar,
// calls an API, and signs out.
const vscode = require("vscode");
const { registerHallpassProvider } = require("hallpass/vscode");

const ID = "hallpass-example";
const SCOPES = [];

exports.activate = (context) => {
  const settings = vscode.workspace.getConfiguration("hallpassExample");
  const issuer = settings.get("issuer");
  const redirect = settings.get("redirect");

  const provider = registerHallpassProvider(context, {
    id: ID,
    label: "Hallpass Example",
    provider: { name: "local", issuer, clientId: "hallpass" },
    redirect: redirect === "auto" ? undefined : redirect,
  });

  const item = vscode.window.createStatusBarItem(ID, vscode.StatusBarAlignment.Left);
  item.name = "Hallpass Example";
  const show = async () => {
    const session = await vscode.authentication.getSession(ID, SCOPES, { silent: true });
    item.text = session ? `$(account) ${session.account.label}` : "$(account) Sign in to Hallpass";
    item.command = session ? "hallpassExample.callApi" : "hallpassExample.signIn";
    item.show();
  };

  const signIn = () => vscode.authentication.getSession(ID, SCOPES, { createIfNone: true });

  const callApi = async () => {
    // Asked for each time: a session is good now, and not for ever.
    const { accessToken } = await signIn();
    const response = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
    const { email } = await response.json();
    vscode.window.showInformationMessage(
      response.ok ? `The API says that you are ${email}.` : `The API says ${response.status}.`,
    );
  };

  const signOut = async () => {
    for (const { id } of await provider.getSessions()) await provider.removeSession(id);
  };

  context.subscriptions.push(
    item,
    vscode.authentication.onDidChangeSessions((event) => event.provider.id === ID && show()),
    vscode.commands.registerCommand("hallpassExample.signIn", signIn),
    vscode.commands.registerCommand("hallpassExample.callApi", callApi),
    vscode.commands.registerCommand("hallpassExample.signOut", signOut),
  );
  // Not awaited: the editor answers only once this extension is activated.
  show();
};
