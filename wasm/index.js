export { Flow, default as init, initSync } from "./pkg/hallpass_web.js";
