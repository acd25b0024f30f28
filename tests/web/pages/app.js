// The page of most tests: an application that signs people in, and whose parts a test can reach as `app`.
import { Hallpass } from "hallpass-web";
import { settings } from "./settings.js";

/** Which scripts may run as workers is for the application to say. */
const scripts = globalThis.trustedTypes?.createPolicy("app", { createScriptURL: (url) => url });

const app = (globalThis.app = { Hallpass, settings, prompts: [], logged: [], changes: [] });

app.create = ({ worker, ...more } = {}) => {
  const { worker: kind = worker, ...rest } = settings;
  const url = kind && import.meta.resolve("hallpass-web/worker");
  const script = scripts?.createScriptURL(url) ?? url;
  const Kind = { dedicated: Worker, shared: SharedWorker }[kind];
  if (Kind) app.worker = new Kind(script, { type: "module" });
  return Hallpass.create({
    redirectUri: `${location.origin}/callback`,
    onPrompt: (prompt) => void app.prompts.push(prompt),
    log: (line) => void app.logged.push(line),
    ...(app.worker && { worker: app.worker }),
    ...rest,
    ...more,
  });
};

/** What became of a call, in a form that reaches the test. */
app.outcome = async (promise) => {
  try {
    return { value: await promise };
  } catch (error) {
    const { name, code, message, help, retryable } = error;
    return { error: { name, code, message, help, retryable, stack: error.stack } };
  }
};

app.start = app.outcome(
  (async () => {
    app.hallpass = await app.create();
    app.hallpass.on?.("change", (status) => app.changes.push(status));
    app.landed = await app.hallpass.handleRedirect();
    return app.landed;
  })(),
);

document.querySelector("#redirect").addEventListener("click", () => {
  app.login = app.outcome(app.hallpass.login());
});
document.querySelector("#popup").addEventListener("click", () => {
  app.login = app.outcome(app.hallpass.login({ popup: true }));
});

const { value, error } = await app.start;
const text = error ? `${error.code}: ${error.message}` : value ? "signed in" : "ready";
document.querySelector("#who").textContent = text;
