// A real authorization server (npm oidc-provider) on a loopback port. Tests import `startAuthorizationServer`;
// `node authorization-server.mjs` runs it by itself and prints READY and its address.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import Provider, { errors } from 'oidc-provider';

const REFRESH = 'refresh_token';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type';

// A native client registers no port: RFC 8252 lets it come back on any.
const redirect_uris = ['127.0.0.1', 'localhost', '[::1]'].flatMap((host) => [
  `http://${host}/auth/callback`,
  `http://${host}/callback`,
]);
const native = { application_type: 'native', redirect_uris, response_types: ['code'] };

// Characters that a form or a Basic header must encode: what forgets to is refused.
export const CLIENT_SECRET = 'secret +/:%&=? of a test client';

// The identity that a job is known by.
export const SUBJECT_TOKEN = 'identity.of-a.job';

function clients(clientKey) {
  const grant_types = ['authorization_code', REFRESH];
  const confidential = { ...native, grant_types, client_secret: CLIENT_SECRET };
  const all = [
    { ...native, client_id: 'public', token_endpoint_auth_method: 'none', grant_types: [...grant_types, DEVICE] },
    { ...confidential, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' },
    { ...confidential, client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' },
    {
      client_id: 'program',
      client_secret: CLIENT_SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials', EXCHANGE],
      redirect_uris: [],
      response_types: [],
      scope: 'deploy',
    },
  ];
  if (clientKey) {
    all.push({
      ...native,
      client_id: 'key',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      grant_types,
      jwks: { keys: [clientKey] },
    });
  }
  return all;
}

// `settings` is read whenever a token is issued, so that a test can change its mind.
function configuration(settings, { clientKey, jwtAccessTokens, pushed, dpop }) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    clients: clients(clientKey),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'server' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'email', 'offline_access', 'deploy'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.test`, email_verified: true }),
    }),
    pkce: { required: () => true },
    clientBasedCORS: () => settings.sharesWithPages,
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed(REFRESH),
    ttl: {
      AccessToken: () => settings.accessTokenSeconds,
      ClientCredentials: () => settings.accessTokenSeconds,
      RefreshToken: 86400,
      DeviceCode: 600,
      Session: 600,
      Interaction: 600,
      Grant: 86400,
      IdToken: 600,
    },
    features: {
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      clientCredentials: { enabled: true },
      dPoP: { enabled: Boolean(dpop), nonceSecret: randomBytes(32), requireNonce: () => dpop === 'nonce' },
      pushedAuthorizationRequests: {
        enabled: Boolean(pushed),
        requirePushedAuthorizationRequests: pushed === 'required',
      },
      // Only a token for a named resource is a JWT; without one it is opaque.
      resourceIndicators: {
        enabled: jwtAccessTokens,
        defaultResource: () => 'urn:example:api',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience: 'urn:example:api',
          accessTokenFormat: 'jwt',
          accessTokenTTL: settings.accessTokenSeconds,
        }),
      },
    },
  };
}

// RFC 8693, for the one identity that there is; the library reads and checks the request, and makes the token.
function exchangesTokens(provider) {
  const parameters = ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'];
  provider.registerGrantType(EXCHANGE, async (ctx) => {
    const { params, client } = ctx.oidc;
    if (params.subject_token !== SUBJECT_TOKEN || params.subject_token_type !== `${TOKEN_TYPE}:jwt`) {
      throw new errors.InvalidRequest('the subject token is not valid');
    }
    const token = new provider.ClientCredentials({ client, scope: params.scope });
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: params.requested_token_type ?? `${TOKEN_TYPE}:access_token`,
      token_type: params.requested_token_type ? 'N_A' : token.tokenType,
      expires_in: token.expiration,
    };
  }, parameters);
}

// `pushed` is 'offered' or 'required', `dpop` is 'offered' or 'nonce', and with `sharesWithPages` pages of any origin
// may ask. On the answer, `requests` lists what came to the token and revocation endpoints and to that for pushed
// requests, oldest first, and `settings` can be changed while the server runs: its `arriving` and `leaving` see such a
// request before it is processed and before it is answered, and hold it up for as long as they like. A client may use a
// connection again, unless `reusesConnections` is false: then a browser that loses one does not send the request again
// of its own accord.
export async function startAuthorizationServer(options = {}) {
  const { accessTokenSeconds = 3600, clientKey, jwtAccessTokens = false, host = '127.0.0.1', port = 0 } = options;
  const { pushed, dpop, mayReturn } = options;
  const settings = { accessTokenSeconds, sharesWithPages: options.sharesWithPages ?? false };
  const server = createServer();
  if (options.reusesConnections === false) server.maxRequestsPerSocket = 1;
  server.listen(port, host);
  await once(server, 'listening');

  const issuer = `http://${host}:${server.address().port}`;
  const provider = new Provider(issuer, configuration(settings, { clientKey, jwtAccessTokens, pushed, dpop }));
  exchangesTokens(provider);
  if (mayReturn) {
    const { redirectUriAllowed } = provider.Client.prototype;
    provider.Client.prototype.redirectUriAllowed = function (uri) {
      return redirectUriAllowed.call(this, uri) || mayReturn(uri);
    };
  }
  const requests = [];
  provider.use(async (ctx, next) => {
    if (ctx.method !== 'POST' || !/^\/(token(\/revocation)?|request)$/.test(ctx.path)) return next();
    await settings.arriving?.(ctx);
    await next();
    const params = { ...ctx.oidc?.params };
    const { status, body } = ctx;
    requests.push({ path: ctx.path, grant: params.grant_type, status, error: body?.error, params, body });
    await settings.leaving?.(ctx);
  });
  server.on('request', provider.callback());

  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { issuer, requests, settings, stop };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { PORT, AT_TTL, JWT_ACCESS_TOKENS } = process.env;
  const { issuer } = await startAuthorizationServer({
    port: Number(PORT ?? 0),
    accessTokenSeconds: Number(AT_TTL ?? 3600),
    jwtAccessTokens: JWT_ACCESS_TOKENS === '1',
  });
  console.log(`READY ${issuer}`);
}
