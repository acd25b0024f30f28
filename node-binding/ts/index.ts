// What the package `hallpass` exports.
export { Hallpass, type ChangeListener } from "./hallpass.js";
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
export { BrowserPrompt, DeviceCodePrompt, type Prompt } from "./prompts.js";
export type {
  CallOptions,
  HallpassOptions,
  LoginOptions,
  LogoutOptions,
  ProviderOptions,
  StatusOptions,
  TokenOptions,
} from "./options.js";
export {
  Token,
  type Account,
  type LoggedIn,
  type LoggedOut,
  type Revocation,
  type Status,
  type Warning,
} from "./results.js";
export type { LogLine, Method, Place, StoreMode, TokenOrigin } from "../types.js";
