#!/usr/bin/env node
// Checks an SMSC with node-smpp, an SMPP client library that shares no code with it.
//
// One line per check, then `N passed, N failed`; exit status 0 when none failed, else 1.
// The same checks, under the same names and numbers, are in smpplib_client.py: two independent
// codecs that agree are worth more than one.

'use strict';

const { parseArgs } = require('node:util');
const smpp = require('smpp');

// Different type and plan on both sides, so that a receipt that does not swap them is seen.
const SOURCE = { ton: smpp.TON.NETWORK_SPECIFIC, npi: smpp.NPI.UNKNOWN, addr: '40404' };
const DESTINATION = { ton: smpp.TON.INTERNATIONAL, npi: smpp.NPI.ISDN, addr: '447700900123' };

const ESM_CLASS_TYPE = 0x3c; // bits 5-2; testing 0x04 alone would take 0x0C and 0x14 for receipts
const ESM_CLASS_RECEIPT = 0x04;
const INTERFACE_VERSION_34 = 0x34;
const UNKNOWN_COMMAND_ID = 0x00010200;
const ENQUIRE_LINK = 0x00000015;
const SEEN_MAX = 3;
const IN_AN_HOUR = '000000010000000R'; // §7.1.1
const MESSAGE_STATE = { ENROUTE: 1, DELIVERED: 2, DELETED: 4 }; // §5.2.28, which has no name for what waits
const PART_OCTETS = 153; // 160 septets less those that the six octets of header take

// What was seen is not what was expected.
class Unmet extends Error {}

// The check cannot be made; neither passed nor failed.
class LeftOut extends Error {}

// A session that keeps every PDU it reads, because answers and receipts may come in any order.
class Esme {
  static async connect(args) {
    const esme = new Esme(args);
    await new Promise((resolve, reject) => {
      esme.session.once(args.tls ? 'secureConnect' : 'connect', resolve);
      esme.session.once('error', reject);
    });
    return esme;
  }

  constructor(args) {
    this.timeout = args.timeout;
    this.inbox = [];
    this.closed = false;
    this.bound = false;
    this.wake = () => {};
    // The certificate is made at the start: there is nothing to check it with.
    this.session = smpp.connect({ host: args.host, port: args.port, tls: args.tls, rejectUnauthorized: false });
    this.session.on('pdu', (pdu) => this.keep(pdu));
    this.session.on('close', () => { this.closed = true; this.wake(); });
    // Nothing to do for a failed socket, which also closes; a failed decoder would stall until the time-out.
    this.session.on('error', (error) => { this.failure = error; this.wake(); });
  }

  // node-smpp leaves the answers to its user.
  keep(pdu) {
    if (pdu.command === 'enquire_link' || pdu.command === 'deliver_sm') this.session.send(pdu.response());
    this.inbox.push(pdu);
    this.wake();
  }

  make(command, fields = {}) {
    const sequence_number = ++this.session.sequence;
    return new smpp.PDU(command, { ...fields, sequence_number });
  }

  makeSubmit({ text = 'hello', ...fields } = {}) {
    return this.make('submit_sm', {
      source_addr_ton: SOURCE.ton,
      source_addr_npi: SOURCE.npi,
      source_addr: SOURCE.addr,
      dest_addr_ton: DESTINATION.ton,
      dest_addr_npi: DESTINATION.npi,
      destination_addr: DESTINATION.addr,
      short_message: text,
      ...fields,
    });
  }

  // A request about a message that was submitted from SOURCE.
  makeAbout(command, messageId, fields = {}) {
    return this.make(command, {
      message_id: messageId,
      source_addr_ton: SOURCE.ton,
      source_addr_npi: SOURCE.npi,
      source_addr: SOURCE.addr,
      ...fields,
    });
  }

  // The message_state that query_sm gives.
  async state(messageId) {
    const response = await this.exchange(this.makeAbout('query_sm', messageId));
    isResponse(response, 'query_sm_resp', smpp.ESME_ROK);
    isEqual('message_id', response.message_id, messageId);
    return response.message_state;
  }

  // Sends a request and returns its response, of whatever status.
  exchange(request) {
    this.session.send(request);
    return this.response(request.sequence_number);
  }

  async bind(type, args) {
    const response = await this.exchange(this.make(type, credentials(args)));
    this.bound = response.command_status === smpp.ESME_ROK;
    return response;
  }

  // Submits one message and returns its message_id.
  submit(fields) {
    const request = this.makeSubmit(fields);
    this.session.send(request);
    return this.accepted(request);
  }

  // The message_id of this request's response, which must be a success.
  async accepted(request) {
    const pdu = await this.response(request.sequence_number);
    isResponse(pdu, 'submit_sm_resp', smpp.ESME_ROK);
    if (!pdu.message_id) throw new Unmet('submit_sm_resp had an empty message_id, expected one');
    return pdu.message_id;
  }

  // Resolves when the octets are with the kernel.
  raw(octets) {
    return new Promise((resolve) => this.session.socket.write(octets, resolve));
  }

  async rawOctetByOctet(octets) {
    this.session.socket.setNoDelay(true);
    for (const octet of octets) await this.raw(Buffer.from([octet]));
  }

  response(sequence) {
    return this.wait((pdu) => pdu.isResponse() && pdu.sequence_number === sequence,
      `a response with sequence number ${sequence}`);
  }

  request(command, seconds) {
    return this.wait((pdu) => pdu.command === command, command, seconds);
  }

  // The first PDU that is wanted, among those kept or still to come.
  async wait(wanted, name, seconds = this.timeout) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const at = this.inbox.findIndex(wanted);
      if (at >= 0) return this.inbox.splice(at, 1)[0];
      const after = this.failure || (this.closed ? 'the connection closed' : '');
      if (after) throw new Unmet(`${this.seen()}, then ${after}, expected ${name}`);
      if (!(await this.event(deadline))) throw new Unmet(`${this.seen()}, then silence, expected ${name}`);
    }
  }

  // False when the deadline passed before anything happened.
  event(deadline) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(deadline - Date.now(), 0), false);
      this.wake = () => { clearTimeout(timer); resolve(true); };
    });
  }

  // The session works, and nothing came that nobody asked for.
  async settled() {
    isResponse(await this.exchange(this.make('enquire_link')), 'enquire_link_resp', smpp.ESME_ROK);
    this.dropEnquireLinks();
    if (this.inbox.length) throw new Unmet(`${this.seen()}, expected nothing more`);
  }

  async closedByPeer() {
    this.dropEnquireLinks(); // those from before; the closing peer sends no more
    const deadline = Date.now() + this.timeout * 1000;
    while (!this.closed) {
      if (!(await this.event(deadline))) {
        throw new Unmet(`connection still open after ${this.timeout} s, expected it closed`);
      }
    }
    this.bound = false;
    if (this.inbox.length) throw new Unmet(`${this.seen()}, expected only the connection closed`);
  }

  // The kept PDUs, the first few by name.
  seen() {
    const names = this.inbox.slice(0, SEEN_MAX).map(describe);
    if (this.inbox.length > SEEN_MAX) names.push(`${this.inbox.length - SEEN_MAX} more`);
    return `saw ${names.join(', ') || 'nothing'}`;
  }

  dropEnquireLinks() {
    this.inbox = this.inbox.filter((pdu) => pdu.command !== 'enquire_link');
  }

  // Leaves no session behind: a receipt of the next check could be routed to it.
  async finish() {
    try {
      if (this.bound && !this.closed) {
        await this.exchange(this.make('unbind'));
        await this.closedByPeer();
      }
    } catch (error) {
      if (!(error instanceof Unmet)) throw error;
    } finally {
      this.session.destroy();
    }
  }
}

function credentials(args) {
  return { system_id: args['system-id'], password: args.password, interface_version: INTERFACE_VERSION_34 };
}

function describe(pdu) {
  return `${pdu.command}(status 0x${pdu.command_status.toString(16)}, sequence ${pdu.sequence_number})`;
}

async function withConnection(args, work) {
  const esme = await Esme.connect(args);
  try {
    return await work(esme);
  } finally {
    await esme.finish();
  }
}

function withBind(args, type, work) {
  return withConnection(args, async (esme) => {
    isResponse(await esme.bind(type, args), `${type}_resp`, smpp.ESME_ROK);
    return work(esme);
  });
}

const withTransceiver = (args, work) => withBind(args, 'bind_transceiver', work);

function isEqual(what, seen, expected) {
  const [left, right] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (left !== right) throw new Unmet(`${what} was ${left}, expected ${right}`);
}

function isResponse(pdu, command, status) {
  if (pdu.command !== command || pdu.command_status !== status) {
    throw new Unmet(`saw ${describe(pdu)}, expected ${command} with status 0x${status.toString(16)}`);
  }
}

function isReceiptOf(pdu, messageId) {
  isEqual("receipt's esm_class & 0x3c", pdu.esm_class & ESM_CLASS_TYPE, ESM_CLASS_RECEIPT);
  const text = pdu.short_message.message || (pdu.message_payload && pdu.message_payload.message) || '';
  isEqual("receipt's text id", field(text, 'id'), messageId);
  isEqual('receipted_message_id', pdu.receipted_message_id, messageId);
  isEqual("receipt's stat", field(text, 'stat'), 'DELIVRD');
  isEqual("receipt's source",
    { ton: pdu.source_addr_ton, npi: pdu.source_addr_npi, addr: pdu.source_addr }, DESTINATION);
  isEqual("receipt's destination",
    { ton: pdu.dest_addr_ton, npi: pdu.dest_addr_npi, addr: pdu.destination_addr }, SOURCE);
}

function field(text, name) {
  const found = text.match(new RegExp(`(?:^| )${name}:(\\S*)`));
  return found && found[1];
}

// What the simulator's HTTP API answers.
async function api(args, method, path, body) {
  if (args.http === undefined) throw new LeftOut('needs --http');
  const response = await fetch(`http://${args.http}/api/v1/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Unmet(`${method} ${path} was answered with ${response.status} ${text}`);
  return text && JSON.parse(text);
}

// One success each, by sequence number, no id given twice, and no response too many.
async function allAccepted(esme, requests) {
  const ids = new Set();
  for (const request of requests) ids.add(await esme.accepted(request));
  isEqual('number of different message_ids', ids.size, requests.length);
  await esme.settled();
}

function bindAs(args, type) {
  return withConnection(args, async (esme) => {
    const response = await esme.bind(type, args);
    isResponse(response, `${type}_resp`, smpp.ESME_ROK);
    isEqual('sc_interface_version', response.sc_interface_version, INTERFACE_VERSION_34);
  });
}

function bindRefused(args, status) {
  return withConnection(args, async (esme) => {
    isResponse(await esme.bind('bind_transceiver', args), 'bind_transceiver_resp', status);
  });
}

function header(commandLength, commandId, sequence) {
  const octets = Buffer.alloc(16);
  [commandLength, commandId, 0, sequence].forEach((value, n) => octets.writeUInt32BE(value, n * 4));
  return octets;
}

// Parts by hand: node-smpp puts a header in front of a text, but does not split.
function concatenated(text, reference) {
  const parts = text.match(new RegExp(`.{1,${PART_OCTETS}}`, 'gs'));
  return parts.map((message, n) => ({ udh: Buffer.from([5, 0, 3, reference, parts.length, n + 1]), message }));
}

const CHECKS = {
  bind_transmitter: (args) => bindAs(args, 'bind_transmitter'),

  bind_receiver: (args) => bindAs(args, 'bind_receiver'),

  bind_transceiver: (args) => bindAs(args, 'bind_transceiver'),

  wrong_password_refused: (args) => bindRefused({ ...args, password: 'wrong' }, smpp.ESME_RINVPASWD),

  unknown_system_id_refused: (args) => bindRefused({ ...args, 'system-id': 'nobody' }, smpp.ESME_RINVSYSID),

  second_bind_refused: (args) => withTransceiver(args, async (esme) => {
    const response = await esme.exchange(esme.make('bind_transceiver', credentials(args)));
    isResponse(response, 'bind_transceiver_resp', smpp.ESME_RALYBND);
  }),

  submit_before_bind_refused: (args) => withConnection(args, async (esme) => {
    isResponse(await esme.exchange(esme.makeSubmit()), 'submit_sm_resp', smpp.ESME_RINVBNDSTS);
  }),

  submit_on_receiver_refused: (args) => withBind(args, 'bind_receiver', async (esme) => {
    isResponse(await esme.exchange(esme.makeSubmit()), 'submit_sm_resp', smpp.ESME_RINVBNDSTS);
    await esme.settled();
  }),

  receipt_matches_submit: (args) => withTransceiver(args, async (esme) => {
    const messageId = await esme.submit({ registered_delivery: 1 });
    isReceiptOf(await esme.request('deliver_sm'), messageId);
    await esme.settled(); // our deliver_sm_resp was not answered with a generic_nack
  }),

  no_receipt_unless_asked: (args) => withTransceiver(args, async (esme) => {
    await esme.submit({ text: 'without', registered_delivery: 0 });
    const messageId = await esme.submit({ text: 'with', registered_delivery: 1 });
    // The later message's receipt is the clock: by then one for the earlier had its chance.
    isReceiptOf(await esme.request('deliver_sm'), messageId);
    await esme.settled();
  }),

  receipt_on_receiver_of_account: (args) => withBind(args, 'bind_receiver', (receiver) =>
    withBind(args, 'bind_transmitter', async (transmitter) => {
      const messageId = await transmitter.submit({ registered_delivery: 1 });
      isReceiptOf(await receiver.request('deliver_sm'), messageId);
      await receiver.settled();
      await transmitter.settled();
    })),

  client_enquire_link: (args) => withTransceiver(args, (esme) => esme.settled()),

  server_enquire_link: async (args) => {
    const interval = args['enquire-link-interval'];
    if (interval === undefined) throw new LeftOut('needs --enquire-link-interval');
    await withTransceiver(args, async (esme) => {
      // The second one shows that the answer to the first was taken.
      for (let n = 0; n < 2; n++) await esme.request('enquire_link', interval + 3);
      await esme.submit();
    });
  },

  unbind_then_close: (args) => withTransceiver(args, async (esme) => {
    isResponse(await esme.exchange(esme.make('unbind')), 'unbind_resp', smpp.ESME_ROK);
    await esme.closedByPeer();
  }),

  unknown_command_id_nacked: (args) => withTransceiver(args, async (esme) => {
    const sequence = ++esme.session.sequence;
    await esme.raw(header(16, UNKNOWN_COMMAND_ID, sequence));
    isResponse(await esme.response(sequence), 'generic_nack', smpp.ESME_RINVCMDID);
    await esme.submit();
  }),

  ten_submits_in_one_segment: (args) => withTransceiver(args, async (esme) => {
    const requests = Array.from({ length: 10 }, (_, n) => esme.makeSubmit({ text: `${n} of ten` }));
    await esme.raw(Buffer.concat(requests.map((request) => request.toBuffer())));
    await allAccepted(esme, requests);
  }),

  submit_octet_by_octet: (args) => withTransceiver(args, async (esme) => {
    const request = esme.makeSubmit();
    await esme.rawOctetByOctet(request.toBuffer());
    await esme.accepted(request);
  }),

  two_hundred_concurrent_submits: (args) => withTransceiver(args, async (esme) => {
    const requests = Array.from({ length: 200 }, (_, n) => esme.makeSubmit({ text: `${n} of 200` }));
    for (const request of requests) esme.session.send(request);
    await allAccepted(esme, requests);
  }),

  long_text_in_udh_parts: (args) => withTransceiver(args, async (esme) => {
    const parts = concatenated('The quick brown fox, part after part. '.repeat(10), 0x5a);
    const requests = parts.map((part) => esme.makeSubmit({ text: part }));
    for (const request of requests) esme.session.send(request);
    await allAccepted(esme, requests);
  }),

  ucs2_text: (args) => withTransceiver(args, (esme) =>
    esme.submit({ text: 'Žluťoučký kůň 你好 😀', data_coding: smpp.ENCODING.UCS2 })),

  message_payload_of_4000_octets: (args) => withTransceiver(args, (esme) =>
    esme.submit({ text: '', message_payload: '0123456789'.repeat(400) })),

  query_sm_tells_the_state: (args) => withTransceiver(args, async (esme) => {
    const delivered = await esme.submit({ registered_delivery: 1 });
    await esme.request('deliver_sm');
    isEqual('message_state', await esme.state(delivered), MESSAGE_STATE.DELIVERED);
    const waiting = await esme.submit({ schedule_delivery_time: IN_AN_HOUR });
    isEqual('message_state of one to be sent later', await esme.state(waiting), MESSAGE_STATE.ENROUTE);
    await esme.settled();
  }),

  query_sm_of_unknown_refused: (args) => withTransceiver(args, async (esme) => {
    const response = await esme.exchange(esme.makeAbout('query_sm', 'f'.repeat(16)));
    isResponse(response, 'query_sm_resp', smpp.ESME_RINVMSGID);
    await esme.settled();
  }),

  cancel_sm_ends_a_message: (args) => withTransceiver(args, async (esme) => {
    const messageId = await esme.submit({ schedule_delivery_time: IN_AN_HOUR });
    const about = { dest_addr_ton: DESTINATION.ton, dest_addr_npi: DESTINATION.npi, destination_addr: DESTINATION.addr };
    const cancel = () => esme.exchange(esme.makeAbout('cancel_sm', messageId, about));
    isResponse(await cancel(), 'cancel_sm_resp', smpp.ESME_ROK);
    isEqual('message_state', await esme.state(messageId), MESSAGE_STATE.DELETED);
    isResponse(await cancel(), 'cancel_sm_resp', smpp.ESME_RCANCELFAIL);
    await esme.settled();
  }),

  replace_sm_changes_the_text: (args) => withTransceiver(args, async (esme) => {
    const messageId = await esme.submit({ schedule_delivery_time: IN_AN_HOUR });
    const replace = esme.makeAbout('replace_sm', messageId, { short_message: 'something else' });
    isResponse(await esme.exchange(replace), 'replace_sm_resp', smpp.ESME_ROK);
    const message = await api(args, 'GET', `messages/${messageId}`);
    isEqual('text', message.text, 'something else');
    await esme.settled();
  }),

  submit_multi_reaches_all: (args) => withTransceiver(args, async (esme) => {
    const to = (digits) => ({ dest_addr_ton: DESTINATION.ton, dest_addr_npi: DESTINATION.npi, destination_addr: digits });
    const digits = ['447700900124', '447700900125'];
    const response = await esme.exchange(esme.make('submit_multi', {
      source_addr_ton: SOURCE.ton,
      source_addr_npi: SOURCE.npi,
      source_addr: SOURCE.addr,
      dest_address: [...digits, ''].map(to),
      registered_delivery: 1,
      short_message: 'to several',
    }));
    isResponse(response, 'submit_multi_resp', smpp.ESME_ROK);
    isEqual('unsuccess_sme', response.unsuccess_sme, [{ ...to(''), error_status_code: smpp.ESME_RINVDSTADR }]);
    const receipts = [await esme.request('deliver_sm'), await esme.request('deliver_sm')];
    isEqual('sources of the receipts', receipts.map((receipt) => receipt.source_addr).sort(), digits);
    await esme.settled();
  }),

  data_sm_and_its_receipt: (args) => withTransceiver(args, async (esme) => {
    const response = await esme.exchange(esme.make('data_sm', {
      source_addr_ton: SOURCE.ton,
      source_addr_npi: SOURCE.npi,
      source_addr: SOURCE.addr,
      dest_addr_ton: DESTINATION.ton,
      dest_addr_npi: DESTINATION.npi,
      destination_addr: DESTINATION.addr,
      registered_delivery: 1,
      message_payload: 'by data_sm',
    }));
    isResponse(response, 'data_sm_resp', smpp.ESME_ROK);
    isReceiptOf(await esme.request('deliver_sm'), response.message_id);
    await esme.settled();
  }),

  mobile_originated_message: (args) => withTransceiver(args, async (esme) => {
    const [delivery] = await api(args, 'POST', 'deliver',
      { from: DESTINATION.addr, to: SOURCE.addr, text: 'from a phone' });
    const pdu = await esme.request('deliver_sm');
    isEqual('short_message', pdu.short_message.message, 'from a phone');
    isEqual('addresses', [pdu.source_addr, pdu.destination_addr], [DESTINATION.addr, SOURCE.addr]);
    await esme.settled();
    const answered = await api(args, 'GET', `deliveries/${delivery.id}?wait=10s`);
    isEqual('state of the delivery', answered.state, 'accepted');
  }),

  alert_notification: (args) => withTransceiver(args, async (esme) => {
    await api(args, 'POST', 'alert', { from: DESTINATION.addr, status: 0 });
    const pdu = await esme.request('alert_notification');
    isEqual('source_addr', pdu.source_addr, DESTINATION.addr);
    isEqual('ms_availability_status', pdu.ms_availability_status, 0);
    await esme.settled();
  }),

  everything_over_tls: (args) => {
    if (args['tls-port'] === undefined) throw new LeftOut('needs --tls-port');
    return withTransceiver({ ...args, port: args['tls-port'], tls: true }, async (esme) => {
      const messageId = await esme.submit({ registered_delivery: 1 });
      isReceiptOf(await esme.request('deliver_sm'), messageId);
      await esme.submit({ text: '', message_payload: '0123456789'.repeat(400) });
      await esme.settled();
    });
  },
};

const HOSTILE_CHECKS = {
  command_length_5: (args) => withTransceiver(args, async (esme) => {
    await esme.raw(header(5, ENQUIRE_LINK, ++esme.session.sequence));
    // The sequence number is free: the header it came with cannot be trusted.
    isResponse(await esme.request('generic_nack'), 'generic_nack', smpp.ESME_RINVCMDLEN);
    await esme.closedByPeer();
  }),
};

// Prints one line; true when the check passed, false when it failed, null when it was left out.
async function run(name, check, args) {
  const number = Object.keys({ ...CHECKS, ...HOSTILE_CHECKS }).indexOf(name) + 1;
  const label = `${String(number).padStart(2, '0')} ${name}`;
  try {
    await check(args);
  } catch (error) {
    if (error instanceof LeftOut) {
      console.log(`left out ${label}: ${error.message}`);
      return null;
    }
    console.log(`FAIL ${label}: ${error instanceof Unmet ? error.message : `saw ${error}, expected no exception`}`);
    return false;
  }
  console.log(`ok ${label}`);
  return true;
}

function parsed() {
  const string = (fallback) => ({ type: 'string', default: fallback });
  const { values } = parseArgs({
    options: {
      host: string('127.0.0.1'),
      port: string('2775'),
      http: { type: 'string' }, // the simulator's HTTP API; without it some checks are left out
      'tls-port': { type: 'string' }, // without it the check of TLS is left out
      'system-id': string('smppclient1'),
      password: string('password'),
      'enquire-link-interval': { type: 'string' }, // seconds; without it that check is left out
      timeout: string('10'), // seconds, the longest wait for anything else
      hostile: { type: 'boolean', default: false }, // only the checks that send malformed PDUs
    },
  });
  const interval = values['enquire-link-interval'];
  return {
    ...values,
    port: Number(values.port),
    'tls-port': values['tls-port'] === undefined ? undefined : Number(values['tls-port']),
    timeout: Number(values.timeout),
    'enquire-link-interval': interval === undefined ? undefined : Number(interval),
  };
}

async function main() {
  const args = parsed();
  const results = [];
  for (const [name, check] of Object.entries(args.hostile ? HOSTILE_CHECKS : CHECKS)) {
    results.push(await run(name, check, args));
  }
  const count = (result) => results.filter((each) => each === result).length;
  console.log(`${count(true)} passed, ${count(false)} failed`);
  process.exitCode = count(false) ? 1 : 0;
}

main();
