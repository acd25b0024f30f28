// Pushed authorization requests (RFC 9126), as a server takes them that Hallpass's authors did not write.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT_SECRET, startAuthorizationServer } from './authorization-server.mjs';
import { loginArguments, setUp } from './hallpass.mjs';

const steps = (server) => server.requests.map(({ path, status }) => `${path} ${status}`);

for (const pushed of ['offered', 'required']) {
  test(`a login pushes its request where that is ${pushed}`, async (t) => {
    const { server, home } = await setUp(t, startAuthorizationServer, { pushed });
    await home.expect(0, loginArguments(server.issuer));
    assert.deepEqual(steps(server), ['/request 201', '/token 200']);
    await home.expect(0, ['token', '--refresh']);
  });
}

test('the address of the page names the client and the reference, and nothing else', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer, { pushed: 'offered' });
  let address;
  const onLine = (line) => (address ??= JSON.parse(line).authorization_url);
  await home.expect(0, [...loginArguments(server.issuer), '--json'], { onLine });
  assert.deepEqual([...new URL(address).searchParams.keys()], ['client_id', 'request_uri']);
});

test('a provider that is told not to push does not', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer, { pushed: 'offered' });
  const provider = `[hallpass.providers.peer]\nissuer = "${server.issuer}"\nclient_id = "public"\n`;
  writeFileSync(
    join(home.codexHome, 'config.toml'),
    `${provider}scopes = ["openid", "offline_access"]\npushed_authorization = false\n`,
  );
  await home.expect(0, ['login', '--provider', 'peer']);
  assert.deepEqual(steps(server), ['/token 200']);
});

for (const [client, method] of [['post', 'client_secret_post'], ['basic', 'client_secret_basic']]) {
  test(`a client with ${method} proves itself where it pushes`, async (t) => {
    const { server, home } = await setUp(t, startAuthorizationServer, { pushed: 'required' });
    home.keepsSecret(CLIENT_SECRET);
    const args = [...loginArguments(server.issuer, client), '--client-authentication', method, '--with-client-secret'];
    await home.expect(0, args, { input: `${CLIENT_SECRET}\n` });
    assert.deepEqual(steps(server), ['/request 201', '/token 200']);

    const wrong = await home.expect(6, args, { input: 'another secret\n' });
    assert.match(wrong.stderr, /^error: .*invalid_client/m);
  });
}

test('a client with private_key_jwt proves itself where it pushes', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const clientKey = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' };
  const { server, home } = await setUp(t, startAuthorizationServer, { clientKey, pushed: 'required' });
  const pem = join(home.folder, 'client-key.pem');
  writeFileSync(pem, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });

  const args = [...loginArguments(server.issuer, 'key'), '--client-authentication', 'private_key_jwt'];
  await home.expect(0, [...args, '--client-key', pem, '--client-key-id', 'key-1']);
  assert.deepEqual(steps(server), ['/request 201', '/token 200']);
});
