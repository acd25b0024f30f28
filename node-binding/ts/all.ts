// Everything that the entrances of the package stand on, in one module; `bundle.mjs` makes two files of it, which load in
// a fraction of the time that many take.
export {
  DeclinedError,
  ForbiddenError,
  HallpassError,
  LocalError,
  LoginRequiredError,
  MisbehavedError,
  MisusedError,
  RefusedError,
  UnavailableError,
} from "./errors.js";
export { Hallpass } from "./hallpass.js";
export { NodeHost } from "./host.js";
export { library } from "./native.js";
export { BrowserPrompt, DeviceCodePrompt } from "./prompts.js";
export { Token } from "./results.js";
export { Inbox } from "./waiting.js";
