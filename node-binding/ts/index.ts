// What the package `hallpass` exports.
export {
  BrowserPrompt,
  DeclinedError,
  DeviceCodePrompt,
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
export type { CallOptions, LogoutOptions, StatusOptions, TokenOptions } from "./checking.js";
export type { ChangeListener } from "./client.js";
export type { HallpassOptions, LoginOptions, ProviderOptions } from "./options.js";
export type { Prompt } from "./prompts.js";
export type { Account, LoggedIn, LoggedOut, Revocation, Status, Warning } from "./results.js";
export type { LogLine, Method, Place, StoreMode, TokenOrigin } from "../types.js";
