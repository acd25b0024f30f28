export { close, default as init, enter, open, resume, start, step, suspend } from "./pkg/hallpass_web.js";
