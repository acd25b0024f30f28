// Why Node's `fetch` failed.
import type { Diagnosis } from "./sending.js";

/** The codes of the failures after which not a byte can have left: nobody was there to take one. */
const NOBODY_THERE = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** What the codes of an error say. */
export function diagnose(error: unknown): Diagnosis {
  return { isUnsent: NOBODY_THERE.has(codeOf(error)), detail: describe(error) };
}

/** The code of the cause: `fetch` hides it, and where a name has several addresses there are several causes. */
function codeOf(error: unknown): string {
  for (let cause = error; typeof cause === "object" && cause !== null; cause = (cause as { cause?: unknown }).cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return "";
}

function describe(error: unknown): string {
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its name cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
    case "UND_ERR_SOCKET":
      return "the connection was reset";
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return "the connection was not made in time";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "its certificate is from an authority that is not trusted here; NODE_EXTRA_CA_CERTS names one to trust";
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired, or the clock of this machine is wrong";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "its certificate is for another host";
    default: {
      const code = codeOf(error);
      return /^[A-Z0-9_]{1,64}$/.test(code) ? `fetch failed (${code})` : "fetch failed";
    }
  }
}
