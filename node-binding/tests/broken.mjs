// Breaks the built package in one place after another and sees whether a test notices: `node tests/broken.mjs
// [FILE]`, once `./test` is content. HALLPASS_BIN as for the tests.
import { tryAll } from "../../tests/mutations/ways.mjs";

const ways = [
  ["driver.js", "event = NOTHING;", "throw cause;", "scenarios", "a callback throws"],
  ["driver.js", "interruptible ? wish : undefined", "wish", "scenarios", "embedded: a refresh that is aborted"],
  ["causes.js", '"ECONNREFUSED", ', "", "sending", "nobody listens"],
  ["sending.js", 'reach: "unanswered"', 'reach: "not_sent"', "sending", "may have carried"],
  ["sending.js", "if (size > MOST)", "if (false)", "sending", "without end"],
  ["resource.js", "this.#origins.has(origin)", "true", "resource", "another origin|a redirect is followed"],
  ["resource.js", 'redirect: "manual"', 'redirect: "follow"', "resource", "a redirect is followed"],
  ["resource.js", "if (this.#url.origin !== origin)", "if (false)", "resource", "a nonce goes back"],
  ["hallpass.js", "this.throwIfAborted(running);", "", "scenarios", "embedded: an aborted signal"],
  ["flights.js", "this.#passengers > 0", "false", "scenarios", "embedded: a caller who leaves"],
  ["results.js", "return { tokenType,", "return { token: this.accessToken, tokenType,", "options", "a key is stored"],
  ["hallpass.js", "native.finish()", "undefined", "scenarios", "embedded: a login that is aborted"],
  ["watching.js", "if (!concerns(name))", "if (true)", "scenarios", "embedded: what others do"],
  ["vscode/provider.js", "if (scopes === undefined)", "if (false)", "vscode", "a login in the browser"],
  ["vscode/provider.js", "if (same && same.seat !== seat)", "if (false)", "vscode", "a second account"],
  ["vscode/host.js", "encodeURIComponent(name)", '"x"', "vscode", "comes back through the editor"],
  ["vscode/host.js", "vscode.env.uiKind === vscode.UIKind.Web", "false", "vscode", "in a web window"],
  ["vscode/host.js", "await this.#seal.prepare().catch(unsealable);", "", "vscode", "a secret storage that does not work"],
  [
    "vscode/seal.js",
    "cipher.update(text, ",
    "Buffer.from(text), cipher.update(text, ",
    "vscode",
    "is sealed with a key",
  ],
  ["vscode/seal.js", "return null;", "throw 0;", "vscode", "where the key is gone"],
  ["vscode/provider.js", "focused && this.#isReadable", "false", "vscode", "comes back to the window"],
];

tryAll(ways, { sources: new URL("../dist/", import.meta.url), tests: new URL(".", import.meta.url) });
