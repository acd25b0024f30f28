// What the entrances of the package share, in one module: it becomes one file, which a page and its worker load once.
export { checkOrigin, invalid } from "../../node-binding/ts/checking.js";
export { CANCELLED } from "../../node-binding/ts/driver.js";
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
  errorOf,
  failed,
  hostFailed,
  misused,
} from "../../node-binding/ts/errors.js";
export { DeviceCodePrompt } from "../../node-binding/ts/prompts.js";
export { Token, loggedInOf } from "../../node-binding/ts/results.js";
export { Inbox } from "../../node-binding/ts/waiting.js";
export { EngineClient } from "./engine.js";
export { LocalEngine } from "./local.js";
export { received, sent } from "./messages.js";
export { Flow, load } from "./module.js";
export { checkDeviceCode, checkHallpass, checkLogin, clientOptions } from "./options.js";
