// hallpass token --provider NAME: tokens for programs, from a server that Hallpass's authors did not write.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT_SECRET, SUBJECT_TOKEN, startAuthorizationServer } from './authorization-server.mjs';
import { setUp } from './hallpass.mjs';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type';

// A provider of config.toml that gives tokens to programs.
const configure = (home, issuer, lines) =>
  writeFileSync(
    join(home.codexHome, 'config.toml'),
    [
      '[hallpass.providers.ci]',
      `issuer = "${issuer}"`,
      'client_id = "program"',
      'client_authentication = "client_secret_basic"',
      'client_secret_variable = "CI_SECRET"',
      ...lines,
      '',
    ].join('\n'),
  );

const token = ['token', '--provider', 'ci'];
const env = { CI_SECRET: CLIENT_SECRET, JOB_TOKEN: SUBJECT_TOKEN };

// Whether the server knows this access token, and as whose.
async function introspect(issuer, accessToken) {
  const encoded = (text) => encodeURIComponent(text).replaceAll('%20', '+');
  const response = await fetch(`${issuer}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`program:${encoded(CLIENT_SECRET)}`).toString('base64')}` },
    body: new URLSearchParams({ token: accessToken }),
  });
  return response.json();
}

async function isMinted(home, server, result) {
  const found = await introspect(server.issuer, result.stdout.trim());
  assert.equal(found.active, true);
  assert.equal(found.client_id, 'program');
  assert.ok(!existsSync(home.recordFile), 'nothing is stored');
  return found;
}

test('a client gets a token with its own credentials', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  home.keepsSecret(CLIENT_SECRET);
  configure(home, server.issuer, ['grant = "client_credentials"', 'scopes = ["deploy"]']);
  const found = await isMinted(home, server, await home.expect(0, token, { env }));
  assert.equal(found.scope, 'deploy');
  assert.deepEqual(server.requests.map(({ grant, status }) => [grant, status]), [['client_credentials', 200]]);
});

test('a wrong secret is a refusal, and none is an error', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  configure(home, server.issuer, ['grant = "client_credentials"']);
  await home.expect(6, token, { env: { CI_SECRET: 'another secret' } });
  await home.expect(5, token);
});

test('the identity of a job is exchanged for a token', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  home.keepsSecret(CLIENT_SECRET, SUBJECT_TOKEN);
  configure(home, server.issuer, [
    'grant = "token_exchange"',
    'subject_token = { variable = "JOB_TOKEN" }',
    'audience = "https://api.example.test"',
  ]);
  await isMinted(home, server, await home.expect(0, token, { env }));
  const [{ grant, status, params }] = server.requests;
  assert.deepEqual([grant, status], [EXCHANGE, 200]);
  assert.equal(params.subject_token_type, `${TOKEN_TYPE}:jwt`);
  assert.equal(params.audience, 'https://api.example.test');

  await home.expect(6, token, { env: { ...env, JOB_TOKEN: 'somebody.else' } });
});

test('what is exchanged for something else than an access token is not printed', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  configure(home, server.issuer, [
    'grant = "token_exchange"',
    'subject_token = { variable = "JOB_TOKEN" }',
    `requested_token_type = "${TOKEN_TYPE}:jwt"`,
  ]);
  const { stdout, stderr } = await home.expect(4, token, { env });
  assert.equal(stdout, '');
  assert.match(stderr, /N_A/);
});
