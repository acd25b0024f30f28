// After the login: tokens that stay good, sessions that die, and the logout.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startAuthorizationServer } from './authorization-server.mjs';
import { Client } from './client.mjs';
import { loginArguments, setUp } from './hallpass.mjs';

async function loggedIn(t, options) {
  const { server, home } = await setUp(t, startAuthorizationServer, options);
  await home.expect(0, loginArguments(server.issuer));
  server.requests.length = 0;
  return { server, home, tokens: home.record().tokens };
}

test('a token that is still good is printed without a word to the server', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  const { stdout, stderr } = await home.expect(0, ['token']);
  assert.equal(stdout, `${tokens.access_token}\n`);
  assert.equal(stderr, '');

  const printed = await home.json(['token']);
  assert.equal(printed.access_token, tokens.access_token);
  assert.equal(printed.token_type.toLowerCase(), 'bearer');
  assert.deepEqual(server.requests, []);
});

test('a forced refresh rotates, and the next one uses the successor', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  const { stdout } = await home.expect(0, ['token', '--refresh']);

  const rotated = home.record().tokens;
  assert.equal(stdout, `${rotated.access_token}\n`);
  assert.notEqual(rotated.access_token, tokens.access_token);
  assert.notEqual(rotated.refresh_token, tokens.refresh_token);
  await home.expect(0, ['token', '--refresh']);
  assert.deepEqual(server.requests.map(({ grant, status }) => `${grant} ${status}`), ['refresh_token 200', 'refresh_token 200']);
});

test('a session that was stolen and ended by the server requires a login, and is not tried again', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  await home.expect(0, ['token', '--refresh']);
  // The thief spends the old token, so the server ends the family.
  assert.equal((await new Client(server.issuer).refresh(tokens.refresh_token)).error, 'invalid_grant');
  server.requests.length = 0;

  const { stdout, stderr } = await home.expect(1, ['token', '--refresh']);
  assert.equal(stdout, '');
  assert.match(stderr, /^help: .*hallpass login/m);
  await home.expect(1, ['token', '--refresh']);
  assert.equal(server.requests.length, 1);
});

test('a server whose tokens never last long enough costs one refresh and a warning', async (t) => {
  const { server, home } = await loggedIn(t, { accessTokenSeconds: 120, jwtAccessTokens: true });
  const { stdout, stderr } = await home.expect(0, ['token', '--min-ttl', '300']);
  assert.equal(stdout, `${home.record().tokens.access_token}\n`);
  assert.match(stderr, /^warning: /m);
  assert.equal(server.requests.length, 1);
});

test('sixteen commands at once spend one refresh token once', async (t) => {
  const { server, home } = await loggedIn(t, { accessTokenSeconds: 60, jwtAccessTokens: true });
  server.settings.accessTokenSeconds = 3600;
  const runs = await Promise.all(Array.from({ length: 16 }, () => home.expect(0, ['token', '--min-ttl', '300'])));
  assert.equal(new Set(runs.map(({ stdout }) => stdout)).size, 1);
  assert.deepEqual(server.requests.map(({ status }) => status), [200]);
});

test('a server that is down is not a logout', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  await server.stop();
  await home.expect(4, ['token', '--refresh']);
  assert.deepEqual(home.record().tokens, tokens);
  assert.equal((await home.expect(0, ['token'])).stdout, `${tokens.access_token}\n`);
  assert.equal((await home.json(['status'])).logged_in, true);
});

test('a logout revokes at the server and deletes the record', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  await home.expect(0, ['logout']);
  assert.ok(!existsSync(home.recordFile));
  assert.deepEqual(server.requests.map(({ path, status }) => `${path} ${status}`), ['/token/revocation 200']);
  assert.equal((await new Client(server.issuer).refresh(tokens.refresh_token)).error, 'invalid_grant');
  const { stdout } = await home.expect(1, ['status', '--json']);
  assert.equal(JSON.parse(stdout).logged_in, false);
});

test('a local logout revokes nothing', async (t) => {
  const { server, home, tokens } = await loggedIn(t);
  await home.expect(0, ['logout', '--local']);
  assert.ok(!existsSync(home.recordFile));
  assert.deepEqual(server.requests, []);
  assert.equal((await new Client(server.issuer).refresh(tokens.refresh_token)).status, 200);
});
