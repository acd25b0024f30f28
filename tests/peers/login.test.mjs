// hallpass login through a browser, against a server that Hallpass's authors did not write.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT_SECRET, startAuthorizationServer } from './authorization-server.mjs';
import { Client } from './client.mjs';
import { loginArguments, setUp } from './hallpass.mjs';

const codeGrants = (server) => server.requests.filter(({ grant }) => grant === 'authorization_code');

test('a login with code and PKCE ends in a record and a good page', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  await home.expect(0, loginArguments(server.issuer));

  const { tokens } = home.record();
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
  assert.deepEqual(tokens.oauth_provenance, { issuer: server.issuer, client_id: 'public' });
  assert.equal(statSync(home.recordFile).mode & 0o777, 0o600);
  assert.deepEqual(codeGrants(server).map(({ status }) => status), [200]);

  const page = await home.saw();
  assert.match(page, /^200\n/);
  for (const secret of Object.values(tokens)) assert.ok(!page.includes(secret));

  const status = await home.json(['status']);
  assert.equal(status.logged_in, true);
  assert.equal(status.method, 'oauth');
  assert.equal(status.account.email, 'alice@example.test');
  assert.equal(status.store, 'file');
  assert.equal(status.stale, false);
});

test('a refused login says so, and the old session survives it', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  await home.expect(0, loginArguments(server.issuer));
  const before = home.record();

  await home.expect(6, loginArguments(server.issuer), { env: { PERSON: 'deny' } });
  assert.deepEqual(home.record(), before);
  assert.equal((await new Client(server.issuer).refresh(before.tokens.refresh_token)).status, 200);
});

test('a second login revokes the session that it replaces', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  await home.expect(0, loginArguments(server.issuer));
  const old = home.record().tokens.refresh_token;

  await home.expect(0, loginArguments(server.issuer));
  assert.deepEqual(server.requests.map(({ path }) => path), ['/token', '/token', '/token/revocation']);
  assert.equal((await new Client(server.issuer).refresh(old)).error, 'invalid_grant');
  await home.expect(0, ['token', '--refresh']);
});

for (const [client, method] of [['post', 'client_secret_post'], ['basic', 'client_secret_basic']]) {
  test(`a client with ${method} logs in and refreshes`, async (t) => {
    const { server, home } = await setUp(t, startAuthorizationServer);
    home.keepsSecret(CLIENT_SECRET);
    const args = [...loginArguments(server.issuer, client), '--client-authentication', method, '--with-client-secret'];
    await home.expect(0, args, { input: `${CLIENT_SECRET}\n` });

    await home.expect(0, ['token', '--refresh']);
    assert.deepEqual(server.requests.map(({ status }) => status), [200, 200]);
  });
}

test('a client with private_key_jwt logs in and refreshes', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const clientKey = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' };
  const { server, home } = await setUp(t, startAuthorizationServer, { clientKey });
  const pem = join(home.folder, 'client-key.pem');
  writeFileSync(pem, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

  const args = [...loginArguments(server.issuer, 'key'), '--client-authentication', 'private_key_jwt'];
  await home.expect(0, [...args, '--client-key', pem, '--client-key-id', 'key-1']);

  await home.expect(0, ['token', '--refresh']);
  assert.deepEqual(server.requests.map(({ status }) => status), [200, 200]);
});

test('a wrong client secret is a refusal', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  const args = [...loginArguments(server.issuer, 'post'), '--client-authentication', 'client_secret_post'];
  await home.expect(6, [...args, '--with-client-secret'], { input: 'another secret\n' });
  assert.ok(!existsSync(home.recordFile));
  assert.doesNotMatch(await home.saw(), /signed in/i);
});

test('a server that is not there is an error that a later try may mend', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  await server.stop();
  const { stderr } = await home.expect(4, loginArguments(server.issuer));
  assert.match(stderr, /^error: /m);
  assert.match(stderr, /^help: /m);
  assert.ok(!existsSync(home.recordFile));
});

test('a server that calls itself something else is not believed', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  const alias = server.issuer.replace('127.0.0.1', 'localhost');
  const { stderr } = await home.expect(4, loginArguments(alias));
  assert.ok(stderr.includes(alias) && stderr.includes(server.issuer), stderr);
  assert.deepEqual(server.requests, []);
});
