// The sessions of the editor are those of homes: the shared one, and one of its own for each further account.
import { type FSWatcher, mkdirSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { Hallpass, LoginRequiredError } from "../all.js";
import type { Internals } from "../hallpass.js";
import type { Status } from "../results.js";
import { Callback, EditorHost, SealedSlots } from "./host.js";
import type { HallpassProviderOptions } from "./options.js";
import { Seal } from "./seal.js";
import { type Way, openExternal, signIn, wayHere } from "./signing-in.js";

/** One home, and the account in it. */
interface Seat {
  name: string;
  hallpass: Hallpass;
}

/** The name of the home that other programs share. */
const SHARED = "shared";

/** An authentication provider whose sessions are shared with the command line. */
export class HallpassProvider implements vscode.AuthenticationProvider, vscode.UriHandler, vscode.Disposable {
  readonly #context: vscode.ExtensionContext;
  readonly #options: HallpassProviderOptions;
  readonly #changes = new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>();
  readonly #seats: Seat[] = [];
  /** What the editor was told last. */
  #known = new Map<string, { session: vscode.AuthenticationSession; stamp: string }>();
  /** What seals every home, if they are sealed. */
  readonly #seal: Seal | undefined;
  readonly #watching: FSWatcher | undefined;
  readonly #focusing: vscode.Disposable;
  /** Whether every home could be read when it was looked at last. */
  #isReadable = false;
  /** The homes that somebody is signing in to, and where each browser comes back to through the editor, if it does. */
  readonly #signingIn = new Map<string, Callback | undefined>();
  /** The editor is told one thing after the other. */
  #telling: Promise<void>;

  readonly onDidChangeSessions = this.#changes.event;

  constructor(context: vscode.ExtensionContext, options: HallpassProviderOptions) {
    this.#context = context;
    this.#options = options;
    if (options.store === "secrets") {
      this.#seal = new Seal(context.secrets, `hallpass.${options.id}`);
      // Where it does not work the first login says so.
      this.#seal.prepare().catch(() => {});
    }
    this.#take(SHARED);
    this.#takeOwn();
    this.#watching = this.#watch();
    this.#focusing = vscode.window.onDidChangeWindowState(({ focused }) => this.#focused(focused));
    this.#telling = this.#sessions().then((found) => void (this.#known = found));
  }

  /**
   * The sessions there are, silently. Without scopes, as the editor asks at its start, nobody is asked and no token is
   * in them; with scopes the tokens are good now.
   */
  async getSessions(
    scopes?: readonly string[],
    options: vscode.AuthenticationProviderSessionOptions = {},
  ): Promise<vscode.AuthenticationSession[]> {
    const found = await this.#sessions();
    const wanted = [...found.values()].filter(
      ({ session }) => !options.account || options.account.id === session.account.id,
    );
    if (scopes === undefined) return wanted.map(({ session }) => session);
    const sessions = await Promise.all(wanted.map(({ session, seat }) => this.#fresh(session, seat, scopes)));
    return sessions.filter((session) => session !== undefined);
  }

  /** Signs a person in: into the home of that account, else into the first one that nobody is signed in to. */
  async createSession(
    scopes: readonly string[],
    options: vscode.AuthenticationProviderSessionOptions = {},
  ): Promise<vscode.AuthenticationSession> {
    const way = this.#options.redirect ?? wayHere(this.#options.uriHandler ?? false);
    const seat = await this.#seatFor(options.account);
    await this.#signIn(seat, way);
    const status = await seat.hallpass.status();
    const session = sessionOf(seat.name, status, scopes);
    // Who signs in twice has one session: the one that others share stays.
    const same = [...(await this.#sessions()).values()].find(
      ({ session: other }) => other.account.id === session.account.id,
    );
    if (same && same.seat !== seat) await seat.hallpass.logout();
    const chosen = same?.seat ?? seat;
    const { accessToken } = await chosen.hallpass.token();
    await this.#tell();
    return { ...sessionOf(chosen.name, status, scopes), accessToken };
  }

  /** Ends a session, at the server and in its home: for every program that shares the home. */
  async removeSession(id: string): Promise<void> {
    const found = (await this.#sessions()).get(id);
    if (found) await found.seat.hallpass.logout();
    await this.#tell();
  }

  /** Hands in a URI that the editor was opened with, where the extension has a URI handler of its own. */
  handleUri(uri: vscode.Uri): void {
    // Each judges for itself whether it is the answer to its login.
    for (const callback of this.#signingIn.values()) callback?.handle(uri);
  }

  dispose(): void {
    this.#watching?.close();
    this.#focusing.dispose();
    for (const { hallpass } of this.#seats) hallpass.close();
    this.#changes.dispose();
  }

  async #signIn(seat: Seat, way: Way): Promise<void> {
    try {
      if (way === "uri-handler") {
        const here = vscode.Uri.parse(`${vscode.env.uriScheme}://${this.#context.extension.id}/signed-in`);
        this.#signingIn.set(seat.name, new Callback(await vscode.env.asExternalUri(here)));
      }
      await signIn(seat.hallpass, this.#options.label, way);
    } finally {
      this.#signingIn.delete(seat.name);
    }
  }

  /** The session with a token that is good now; none where only a login helps. */
  async #fresh(
    session: vscode.AuthenticationSession,
    { hallpass }: Seat,
    scopes: readonly string[],
  ): Promise<vscode.AuthenticationSession | undefined> {
    try {
      const { accessToken } = await hallpass.token();
      return { ...session, accessToken, scopes };
    } catch (error) {
      if (error instanceof LoginRequiredError) return undefined;
      throw error;
    }
  }

  /** Who is signed in, by the ids of their sessions: each account once. */
  async #sessions(): Promise<Map<string, { session: vscode.AuthenticationSession; seat: Seat; stamp: string }>> {
    const found = new Map<string, { session: vscode.AuthenticationSession; seat: Seat; stamp: string }>();
    this.#takeOwn();
    // A home that cannot be read is one that nobody is signed in to: a login says what is wrong, or replaces it.
    const statuses = await Promise.all(this.#seats.map(({ hallpass }) => hallpass.status().catch(() => undefined)));
    this.#isReadable = !statuses.includes(undefined);
    const accounts = new Set<string>();
    for (const [index, status] of statuses.entries()) {
      const seat = this.#seats[index];
      if (!seat || !status?.loggedIn) continue;
      const session = sessionOf(seat.name, status, []);
      if (accounts.has(session.account.id)) continue;
      accounts.add(session.account.id);
      found.set(session.id, {
        session,
        seat,
        stamp: `${status.expiresAt?.getTime()} ${status.lastRefresh?.getTime()}`,
      });
    }
    return found;
  }

  /** The home to sign in to, which is nobody else's meanwhile. */
  async #seatFor(account: vscode.AuthenticationSessionAccountInformation | undefined): Promise<Seat> {
    const sessions = [...(await this.#sessions()).values()];
    const same = account && sessions.find(({ session }) => session.account.id === account.id);
    const seat = same ? same.seat : this.#freeSeat(sessions);
    this.#signingIn.set(seat.name, undefined);
    return seat;
  }

  #freeSeat(sessions: { seat: Seat }[]): Seat {
    const taken = new Set(sessions.map(({ seat }) => seat));
    const free = this.#seats.find((seat) => !taken.has(seat) && !this.#signingIn.has(seat.name));
    return free ?? this.#take(`account-${this.#seats.length}`);
  }

  /** Takes the homes of further accounts, which another window may have made. */
  #takeOwn(): void {
    for (const name of this.#ownNames()) {
      if (!this.#seats.some((seat) => seat.name === name)) this.#take(name);
    }
  }

  /**
   * Whoever comes back to the window finds who is signed in now: what another tool writes into a keyring is heard of in
   * no other way. A keyring that could not be read is left alone, since it may ask for a password each time.
   */
  #focused(focused: boolean): void {
    if (focused && this.#isReadable) this.#tell();
  }

  /** Hears of homes that another window makes. */
  #watch(): FSWatcher | undefined {
    try {
      mkdirSync(this.#homes, { recursive: true, mode: 0o700 });
      return watch(this.#homes, { persistent: false }, () => this.#tell()).on("error", () => {});
    } catch {
      // They are found when the editor asks next.
      return undefined;
    }
  }

  #take(name: string): Seat {
    const seat = { name, hallpass: this.#open(name) };
    this.#seats.push(seat);
    try {
      seat.hallpass.on("change", () => this.#tell());
    } catch {
      // What is wrong with this home is said by the first login.
    }
    return seat;
  }

  #open(name: string): Hallpass {
    const { provider, fetch, log, store, home, profile } = this.#options;
    // Whether it was opened says nothing: the person may have taken the address along to another browser.
    const common = { provider, fetch, log, openUrl: openExternal };
    const seal = this.#seal;
    const slots = seal && new SealedSlots(seal, name);
    const internals: Internals = {
      editor: true,
      host: (native, around) => new EditorHost(native, around, { callback: this.#signingIn.get(name), slots }),
    };
    // What is sealed is of no use to another program, so that it lies apart.
    const where = name === SHARED && !seal ? { home, profile } : { home: this.#ownFolder(name) };
    return new Hallpass({ ...common, ...where, store: store === "secrets" ? "file" : store }, internals);
  }

  /** The folder for a home of the extension's own. */
  #ownFolder(name: string): string {
    const folder = join(this.#homes, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** An extension may have several providers. */
  get #homes(): string {
    return join(this.#context.globalStorageUri.fsPath, "hallpass", this.#options.id);
  }

  #ownNames(): string[] {
    try {
      return readdirSync(this.#homes)
        .filter((name) => /^account-\d+$/.test(name))
        .sort();
    } catch {
      return [];
    }
  }

  /** Tells the editor what is different from what it was told last. */
  #tell(): Promise<void> {
    // What cannot be found out now is told with the next change.
    return (this.#telling = this.#telling.then(() => this.#compare()).catch(() => {}));
  }

  async #compare(): Promise<void> {
    const found = await this.#sessions();
    const [added, changed] = [[], []] as [vscode.AuthenticationSession[], vscode.AuthenticationSession[]];
    for (const [id, { session, stamp }] of found) {
      const known = this.#known.get(id);
      if (!known) added.push(session);
      else if (known.stamp !== stamp) changed.push(session);
    }
    const removed = [...this.#known].filter(([id]) => !found.has(id)).map(([, { session }]) => session);
    this.#known = found;
    if (added.length + changed.length + removed.length > 0) this.#changes.fire({ added, changed, removed });
  }
}

/** The session of a home, without its token. */
function sessionOf(
  seat: string,
  { account, provider, method }: Status,
  scopes: readonly string[],
): vscode.AuthenticationSession {
  const id = account?.userId ?? account?.id ?? account?.email ?? method ?? "somebody";
  const label = account?.email ?? account?.id ?? (method === "apikey" ? "API key" : (provider ?? "signed in"));
  return { id: `${seat}/${id}`, accessToken: "", account: { id, label }, scopes: [...scopes] };
}
