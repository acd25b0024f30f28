// An authorization server and an API behind one `fetch`: no socket, no process.
import { createHash, randomBytes } from "node:crypto";

export const ISSUER = "https://id.example";
export const API = "https://api.example";

const json = (body, init) => Response.json(body, init);
const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Every secret that it hands out has this word in it, so that a test can look for it. */
export const CANARY = "canary";
const secret = (kind) => `${CANARY}-${kind}-${randomBytes(9).toString("base64url")}`;

/** The thumbprint (RFC 7638) of the key in a proof of possession. */
function thumbprint(proof = "") {
  const { crv, kty, x, y } = JSON.parse(Buffer.from(proof.split(".")[0] || "e30", "base64url")).jwk ?? {};
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

export class Server {
  /** What was asked, as `METHOD /path`. */
  asked = [];
  /** Answers in place of the usual one, by path: a function of the request. */
  instead = {};
  /** The proofs of possession that came, each with the path it came to. */
  proofs = [];
  metadata = {};
  /** Whether nobody has entered the device code yet. */
  pending = false;
  #codes = new Map();
  #refreshTokens = new Set();
  #accessTokens = new Set();

  fetch = async (input, init) => {
    const request = new Request(input, { ...init, signal: undefined });
    const { pathname, origin } = new URL(request.url);
    this.asked.push(`${request.method} ${pathname}`);
    const proof = request.headers.get("dpop");
    if (proof) this.proofs.push([pathname, proof]);
    const answer = await this.instead[pathname]?.(request);
    if (answer) return answer;
    if (origin === API) return this.#api(request);
    const routes = {
      "/.well-known/openid-configuration": () => json(this.#metadata()),
      "/token": async () => this.#token(new URLSearchParams(await request.text()), proof !== null),
      "/revoke": () => new Response(null, { status: 200 }),
      "/device": () =>
        json({
          device_code: secret("device"),
          user_code: "ABCD-EFGH",
          verification_uri: `${ISSUER}/activate`,
          expires_in: 600,
          interval: 1,
        }),
    };
    return routes[pathname]?.() ?? new Response("nothing is here", { status: 404 });
  };

  /** The address that the browser comes back to after a person has consented at this one. */
  consent(authorizationUrl, changes = {}) {
    const { searchParams } = new URL(authorizationUrl);
    const code = secret("code");
    this.#codes.set(code, [searchParams.get("code_challenge"), searchParams.get("dpop_jkt")]);
    const back = new URL(searchParams.get("redirect_uri"));
    const answer = { code, state: searchParams.get("state"), iss: ISSUER, ...changes };
    for (const [name, value] of Object.entries(answer)) if (value !== undefined) back.searchParams.set(name, value);
    return back.href;
  }

  /** Has every access token be refused from now on. */
  expire() {
    this.#accessTokens.clear();
  }

  #metadata() {
    return {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      revocation_endpoint: `${ISSUER}/revoke`,
      device_authorization_endpoint: `${ISSUER}/device`,
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    };
  }

  #token(form, isBound) {
    const grant = form.get("grant_type");
    if (grant === "authorization_code") {
      const [challenge, boundTo] = this.#codes.get(form.get("code")) ?? [];
      this.#codes.delete(form.get("code"));
      const proven = createHash("sha256")
        .update(form.get("code_verifier") ?? "")
        .digest("base64url");
      if (proven !== challenge || (boundTo && boundTo !== thumbprint(this.proofs.at(-1)?.[1])))
        return json({ error: "invalid_grant" }, { status: 400 });
    } else if (grant === "refresh_token") {
      if (!this.#refreshTokens.delete(form.get("refresh_token")))
        return json({ error: "invalid_grant" }, { status: 400 });
    } else if (this.pending) return json({ error: "authorization_pending" }, { status: 400 });
    const [access_token, refresh_token] = [secret("access"), secret("refresh")];
    this.#accessTokens.add(access_token);
    this.#refreshTokens.add(refresh_token);
    const claims = { iss: ISSUER, sub: "ada", email: "ada@example.com", aud: "app" };
    const id_token = `${base64url({ alg: "none" })}.${base64url(claims)}.${CANARY}`;
    return json({ access_token, refresh_token, id_token, token_type: isBound ? "DPoP" : "Bearer", expires_in: 3600 });
  }

  #api(request) {
    const token = request.headers.get("authorization")?.replace(/^(Bearer|DPoP) /, "");
    if (!this.#accessTokens.has(token)) return new Response("who is that?", { status: 401 });
    return request
      .text()
      .then((body) => json({ method: request.method, body, type: request.headers.get("content-type") }));
  }
}
