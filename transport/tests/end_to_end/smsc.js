#!/usr/bin/env node
// An SMSC made of node-smpp's server: it answers submits, sends receipts, and sends messages from phones.
//
//     smsc.js SMPP_PORT HTTP_PORT FOLDER
//
// Its ledger is a file of JSON lines in FOLDER. What is answered is in it before, so that an end by SIGKILL loses nothing;
// a receipt is sent again until an ESME has accepted it. Over HTTP it has as much of the simulator's API as the run asks:
// `GET /api/v1/messages` and `POST /api/v1/deliver?wait=5s`.

'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const smpp = require('smpp');

const ACCOUNT = { system_id: 'smppclient1', password: 'password' };
const WINDOW = 200; // requests of ours without an answer, per session
const RESPONSE_MS = 60000;
const AGAIN_MS = 200; // after a refusal
const ADDRESS = { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1 };

class Ledger {
  constructor(folder) {
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'ledger.jsonl');
    this.messages = new Map();
    if (fs.existsSync(file)) this.read(file);
    this.file = fs.openSync(file, 'a');
  }

  read(file) {
    const text = fs.readFileSync(file, 'utf8');
    // A line that was cut off was never answered.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) fs.truncateSync(file, Buffer.byteLength(whole));
    for (const line of whole.split('\n').filter(Boolean)) this.note(JSON.parse(line));
  }

  note({ reported, ...message }) {
    if (reported) this.messages.get(reported).receipts = ['accepted'];
    else this.messages.set(message.id, { ...message, receipts: [] });
  }

  write(fact) {
    fs.writeSync(this.file, `${JSON.stringify(fact)}\n`);
    this.note(fact);
  }

  unreported() {
    return [...this.messages.values()].filter((message) => message.receipt && !message.receipts.length);
  }
}

// What goes to an ESME, over whichever session has room, until one has accepted it.
class Outbox {
  constructor() {
    this.sessions = new Map(); // each with how many it has not answered
    this.waiting = [];
  }

  put(fields, done) {
    this.waiting.push({ fields, done });
    this.go();
  }

  go() {
    for (const [session, out] of this.sessions) {
      for (let room = WINDOW - out; room > 0 && this.waiting.length; room -= 1) this.send(session, this.waiting.shift());
    }
  }

  send(session, item) {
    this.sessions.set(session, this.sessions.get(session) + 1);
    let isOver = false;
    const over = (status) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      session.removeListener('close', over);
      if (this.sessions.has(session)) this.sessions.set(session, this.sessions.get(session) - 1);
      if (status === smpp.ESME_ROK) item.done();
      else setTimeout(() => this.put(item.fields, item.done), AGAIN_MS);
      this.go();
    };
    const timer = setTimeout(over, RESPONSE_MS);
    session.on('close', over);
    session.deliver_sm(item.fields, (response) => over(response.command_status));
  }
}

const [smppPort, httpPort, folder] = process.argv.slice(2);
const ledger = new Ledger(folder);
const outbox = new Outbox();

function report(message) {
  const text = `id:${message.id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:`;
  const fields = { ...ADDRESS, source_addr: message.to, destination_addr: message.from, esm_class: 4, short_message: text,
    receipted_message_id: message.id, message_state: 2 };
  outbox.put(fields, () => ledger.write({ reported: message.id }));
}

function submitted(session, pdu) {
  const id = (ledger.messages.size + 1).toString(16).padStart(8, '0');
  const message = { id, from: pdu.source_addr, to: pdu.destination_addr, receipt: (pdu.registered_delivery & 3) === 1,
    submitted_at: new Date().toISOString() };
  ledger.write(message);
  session.send(pdu.response({ message_id: id }));
  if (message.receipt) report(message);
}

function bound(session, pdu) {
  if (pdu.system_id !== ACCOUNT.system_id || pdu.password !== ACCOUNT.password) {
    session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
    return session.close();
  }
  session.send(pdu.response({ system_id: 'node-smpp' }));
  outbox.sessions.set(session, 0);
  return outbox.go();
}

const server = smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => bound(session, pdu));
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('close', () => outbox.sessions.delete(session));
  session.on('error', () => session.close());
  session.setMaxListeners(0); // one for each request without an answer
});

function messages() {
  return [...ledger.messages.values()].map((message) => ({ ...message, to: { address: message.to }, state: 'DELIVERED' }));
}

function deliver(mo, answer) {
  const patience = setTimeout(() => answer([{ state: 'waiting' }]), 5000);
  const fields = { ...ADDRESS, source_addr: mo.from, destination_addr: mo.to, short_message: mo.text };
  outbox.put(fields, () => { clearTimeout(patience); answer([{ state: 'accepted' }]); });
}

const api = http.createServer((request, response) => {
  const answer = (value) => response.headersSent || response.writeHead(200).end(JSON.stringify(value));
  if (request.method === 'GET') return answer(messages());
  let body = '';
  request.on('data', (octets) => { body += octets; });
  return request.on('end', () => deliver(JSON.parse(body), answer));
});

ledger.unreported().forEach(report);
api.listen(Number(httpPort), '127.0.0.1', () => server.listen(Number(smppPort), '127.0.0.1'));
// A first SIGTERM ends it in order.
process.on('SIGTERM', () => {
  for (const session of outbox.sessions.keys()) session.unbind();
  setTimeout(() => process.exit(0), 300);
});
