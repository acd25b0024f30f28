// The page that the window of a `popup` login comes back at: hands its address to the page that opened it, and closes.
import { arrival } from "./arriving.js";
import { hand } from "./handing.js";

const url = arrival();
if (url && (await hand(url))) close();
