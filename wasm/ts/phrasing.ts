// What core tells a person at a terminal, for the author of a page.
import type { HallpassError } from "../../node-binding/ts/errors.js";

/**
 * The same error, whose help names a method in place of a command.
 *
 * @param usual what helps where core knows nothing
 */
export function inWordsOfAPage(error: HallpassError, usual: string | undefined): HallpassError {
  const help = error.code.startsWith("store_")
    ? 'allow this site to keep data and see that there is room, or keep the login in memory (`store: "memory"`)'
    : (error.help
        ?.replace(/`hallpass login --device-auth`/g, "`loginWithDeviceCode()`")
        .replace(/`hallpass (login|logout|token)[^`]*`/g, "`$1()`")
        .replace(/\brun `/g, "call `") ?? usual);
  return Object.assign(error, { help });
}
