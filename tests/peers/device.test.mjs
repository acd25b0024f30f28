// hallpass login --device-auth: the person approves, or not, on another device.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startAuthorizationServer } from './authorization-server.mjs';
import { loginArguments, setUp } from './hallpass.mjs';
import { Person } from './person.mjs';

const deviceLogin = (issuer, clientId) => [...loginArguments(issuer, clientId), '--device-auth', '--json'];

// Lets the person act as soon as the code is shown; answers the events that were printed until then and after.
function onPrompt(person) {
  const events = [];
  const onLine = (line) => {
    const event = JSON.parse(line);
    events.push(event);
    if (event.event === 'prompt') person.visit(event.verification_uri, { userCode: event.user_code });
  };
  return { events, onLine };
}

test('a device login waits for the approval and ends in a record', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  const { events, onLine } = onPrompt(new Person());
  await home.expect(0, deviceLogin(server.issuer), { onLine });

  assert.equal(events.at(0).event, 'prompt');
  assert.equal(events.at(-1).event, 'done');
  assert.ok(Date.parse(events[0].expires_at) > Date.now());
  assert.ok(home.record().tokens.refresh_token);
  assert.equal((await home.json(['status'])).account.email, 'alice@example.test');
});

test('a device login that the person refuses is a refusal', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  const { events, onLine } = onPrompt(new Person({ denies: true }));
  await home.expect(6, deviceLogin(server.issuer), { onLine });

  assert.ok(events.at(-1).error);
  assert.ok(!existsSync(home.recordFile));
});

test('a client that the server does not know is a refusal', async (t) => {
  const { server, home } = await setUp(t, startAuthorizationServer);
  await home.expect(6, deviceLogin(server.issuer, 'nobody'));
  assert.ok(!existsSync(home.recordFile));
});
