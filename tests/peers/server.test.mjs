// What the other tests take for granted of the peer: rotation, reuse detection, device codes, revocation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAuthorizationServer } from './authorization-server.mjs';
import { Client } from './client.mjs';
import { Person } from './person.mjs';

let server, client;
before(async () => {
  server = await startAuthorizationServer();
  client = new Client(server.issuer);
});
after(() => server.stop());

test('the peer logs in with code and PKCE', async () => {
  const tokens = await client.login(new Person());
  assert.equal(tokens.status, 200);
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
});

test('the peer reports a refusal to the callback', async () => {
  assert.equal((await client.login(new Person({ denies: true }))).error, 'access_denied');
});

test('the peer rotates, and a reused refresh token ends the whole family', async () => {
  const first = await client.login(new Person());
  const second = await client.refresh(first.refresh_token);
  assert.equal(second.status, 200);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await client.refresh(first.refresh_token)).error, 'invalid_grant');
  assert.equal((await client.refresh(second.refresh_token)).error, 'invalid_grant');
});

test('the peer holds a device code pending until the person approves', async () => {
  const device = await client.startDevice();
  assert.equal((await client.pollDevice(device.device_code)).error, 'authorization_pending');
  await new Person().visit(device.verification_uri, { userCode: device.user_code });
  assert.equal((await client.pollDevice(device.device_code)).status, 200);
  assert.equal((await client.pollDevice(device.device_code)).error, 'invalid_grant');
});

test('the peer reports a device code that the person refused', async () => {
  const device = await client.startDevice();
  await new Person({ denies: true }).visit(device.verification_uri_complete);
  assert.equal((await client.pollDevice(device.device_code)).error, 'access_denied');
});

test('a revoked refresh token is dead at the peer', async () => {
  const tokens = await client.login(new Person());
  assert.equal((await client.revoke(tokens.refresh_token)).status, 200);
  assert.equal((await client.refresh(tokens.refresh_token)).error, 'invalid_grant');
});
