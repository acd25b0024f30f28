// Everything that the entrances of the package stand on, in one module: it becomes one file, which a page and its worker
// load once.
export { invalid, object } from "../../node-binding/ts/checking.js";
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
  classes,
  errorOf,
  hostFailed,
  misused,
} from "../../node-binding/ts/errors.js";
export { Token } from "../../node-binding/ts/results.js";
export { Inbox } from "../../node-binding/ts/waiting.js";
export { EngineClient } from "./engine.js";
export { Flow } from "./flow.js";
export { Hallpass } from "./hallpass.js";
export { LocalEngine } from "./local.js";
export { load } from "./module.js";
export { CLIENT, checkHallpass, isUrl } from "./options.js";
