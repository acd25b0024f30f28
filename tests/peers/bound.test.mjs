// Tokens that are bound to a key (RFC 9449), as a server binds them that Hallpass's authors did not write.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAuthorizationServer } from './authorization-server.mjs';
import { Client } from './client.mjs';
import { loginArguments, setUp } from './hallpass.mjs';

const steps = (server) => server.requests.map(({ grant, status, error }) => `${grant} ${error ?? status}`);

async function loggedIn(t, options, more = []) {
  const { server, home } = await setUp(t, startAuthorizationServer, options);
  await home.expect(0, [...loginArguments(server.issuer), ...more]);
  const key = join(home.codexHome, 'hallpass.proof.pem');
  home.keepsSecret(...readFileSync(key, 'utf8').split('\n').filter((line) => line && !line.startsWith('-----')));
  return { server, home, key };
}

test('a login is bound to a key, a refresh keeps it, and a logout takes it away', async (t) => {
  const { server, home, key } = await loggedIn(t, { dpop: 'offered' });
  assert.deepEqual(steps(server), ['authorization_code 200']);
  assert.equal(statSync(key).mode & 0o777, 0o600);
  const before = readFileSync(key, 'utf8');

  const printed = JSON.parse((await home.expect(0, ['token', '--refresh', '--json'])).stdout);
  assert.equal(printed.token_type, 'DPoP');
  assert.equal(printed.access_token, home.record().tokens.access_token);
  assert.deepEqual(steps(server), ['authorization_code 200', 'refresh_token 200']);
  assert.equal(readFileSync(key, 'utf8'), before);

  await home.expect(0, ['logout']);
  assert.ok(!existsSync(key) && !existsSync(home.recordFile));
});

test('a stolen refresh token is worth nothing without the key', async (t) => {
  const { server, home } = await loggedIn(t, { dpop: 'offered' });
  const { refresh_token } = home.record().tokens;
  assert.equal((await new Client(server.issuer).refresh(refresh_token)).error, 'invalid_grant');
  // The thief has not ended the session of its owner.
  await home.expect(0, ['token', '--refresh']);
});

test('a server that wants its nonce in each proof gets it', async (t) => {
  const { server, home } = await loggedIn(t, { dpop: 'nonce' });
  assert.deepEqual(steps(server), ['authorization_code use_dpop_nonce', 'authorization_code 200']);
  server.requests.length = 0;
  await home.expect(0, ['token', '--refresh']);
  await home.expect(0, ['token', '--refresh']);
  assert.equal(steps(server).filter((step) => step === 'refresh_token 200').length, 2);
});

test('a pushed request names the key', async (t) => {
  const { server, home } = await loggedIn(t, { dpop: 'nonce', pushed: 'required' });
  assert.deepEqual(steps(server).slice(-1), ['authorization_code 200']);
  await home.expect(0, ['token', '--refresh']);
});

test('a session with its own key takes the place of another', async (t) => {
  const { server, home, key } = await loggedIn(t, { dpop: 'offered' });
  const old = readFileSync(key, 'utf8');
  await home.expect(0, loginArguments(server.issuer));
  assert.notEqual(readFileSync(key, 'utf8'), old);
  await home.expect(0, ['token', '--refresh']);
});
