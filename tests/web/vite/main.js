// The lines of the README, in an application that a bundler builds.
import { Hallpass } from "hallpass-web";

const settings = await (await fetch("/settings.json")).json();
const options = { ...settings, redirectUri: `${location.origin}/callback`, store: "memory" };
const who = document.querySelector("#who");

async function show(hallpass) {
  const response = await hallpass.fetch(`${settings.issuer}/me`);
  const { name, sub } = await response.json();
  who.textContent = `signed in as ${name ?? sub}`;
}

const hallpass = await Hallpass.create(options);
if (await hallpass.handleRedirect()) await show(hallpass);
else who.textContent = "signed out";

document.querySelector("#sign-in").onclick = () => hallpass.login();

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const kept = await Hallpass.create({ ...options, worker });
document.querySelector("#sign-in-worker").onclick = async () => {
  await kept.login({ popup: true });
  await show(kept);
};
document.title = "ready";
