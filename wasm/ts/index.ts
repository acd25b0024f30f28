// What the package `hallpass-web` exports.
export type { CallOptions, LogoutOptions, StatusOptions, TokenOptions } from "../../node-binding/ts/checking.js";
export type { ChangeListener } from "../../node-binding/ts/client.js";
export {
  DeclinedError,
  ForbiddenError,
  Hallpass,
  HallpassError,
  LocalError,
  LoginRequiredError,
  MisbehavedError,
  MisusedError,
  RefusedError,
  Token,
  UnavailableError,
} from "./all.js";
export type { DeviceCodePrompt } from "../../node-binding/ts/prompts.js";
export type { Account, LoggedIn, LoggedOut, Revocation, Status, Warning } from "../../node-binding/ts/results.js";
export type { LogLine, Method, TokenOrigin } from "../../node-binding/types.js";
export type { Source } from "./module.js";
export type { ClientOptions, DeviceCodeOptions, EndpointOptions, HallpassOptions, LoginOptions } from "./options.js";
