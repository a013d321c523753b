// Testing an SMPP client with Node's test runner against a running simulator: `npm install smpp`, `node --test`.

const assert = require('node:assert/strict');
const { afterEach, beforeEach, test } = require('node:test');
const { once } = require('node:events');
const smpp = require('smpp');

const [host, port] = (process.env.SMSC_SMPP ?? '127.0.0.1:2775').split(':');
const api = `http://${process.env.SMSC_HTTP ?? '127.0.0.1:2776'}/api/v1`;
const send = (method, path, body) =>
  fetch(api + path, { method, body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });

let session;

beforeEach(async () => {
  await send('POST', '/reset', {}); // the test before is forgotten
  session = smpp.connect({ host, port: Number(port) });
  await answer('bind_transceiver', { system_id: 'smppclient1', password: 'password', interface_version: 0x34 });
});

afterEach(() => session.destroy());

const answer = (command, fields) => new Promise((resolve) => session[command](fields, resolve));
const submit = (text) => answer('submit_sm', { source_addr: '40404', destination_addr: '447700900123', short_message: text });

test('what was submitted', async () => {
  await submit('hello');
  const [message] = await (await fetch(`${api}/messages?to=447700900123&count=1&wait=5s`)).json();
  assert.equal(message.text, 'hello');
  assert.equal(message.state, 'DELIVERED');
});

test('a message that is refused', async () => {
  await send('PUT', '/rules', [{ when: { text: 'spam' }, then: { status: 'ESME_RSUBMITFAIL' } }]);
  assert.equal((await submit('spam')).command_status, smpp.ESME_RSUBMITFAIL);
  assert.equal((await submit('no such thing')).command_status, smpp.ESME_ROK);
});

test('a message from a phone', async () => {
  send('POST', '/deliver', { from: '447700900123', to: '40404', text: 'STOP' });
  const [deliver] = await once(session, 'deliver_sm');
  session.send(deliver.response());
  assert.equal(deliver.short_message.message, 'STOP');
});
