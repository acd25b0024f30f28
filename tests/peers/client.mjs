// The smallest OAuth client that can speak to the peer: what the tests check the peer and its tokens with.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const SCOPE = 'openid email offline_access';

export class Client {
  constructor(issuer, clientId = 'public') {
    this.issuer = issuer;
    this.clientId = clientId;
  }

  // One form to an endpoint; the answer's JSON with its HTTP status.
  async post(path, fields) {
    const response = await fetch(this.issuer + path, {
      method: 'POST',
      body: new URLSearchParams({ client_id: this.clientId, ...fields }),
    });
    const text = await response.text();
    return { status: response.status, ...(text && JSON.parse(text)) };
  }

  refresh(refresh_token) {
    return this.post('/token', { grant_type: 'refresh_token', refresh_token });
  }

  startDevice() {
    return this.post('/device/auth', { scope: SCOPE });
  }

  pollDevice(device_code) {
    return this.post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code });
  }

  revoke(token) {
    return this.post('/token/revocation', { token });
  }

  // A whole login with PKCE; the person visits the authorization URL and ends on our callback.
  async login(person) {
    const listener = createServer((_request, response) => response.end('Done.'));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const redirect_uri = `http://127.0.0.1:${listener.address().port}/callback`;
    const code_verifier = randomBytes(32).toString('base64url');
    const state = randomBytes(16).toString('base64url');
    const url = new URL(`${this.issuer}/auth`);
    url.search = new URLSearchParams({
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri,
      scope: SCOPE,
      prompt: 'consent',
      state,
      code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const page = await person.visit(url);
    listener.closeAllConnections();
    listener.close();

    const answer = Object.fromEntries(new URL(page.url).searchParams);
    if (answer.state !== state || answer.iss !== this.issuer) throw new Error(`not our answer: ${page.url}`);
    if (answer.error) return answer;
    return this.post('/token', { grant_type: 'authorization_code', code: answer.code, code_verifier, redirect_uri });
  }
}
