// The client against a real server, over real sockets: the calls of the guides, and the three historic ways to match replies.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { BifrostClient, createClient, zBifrost } from '../src/index.js';
import { failure } from './support/fake.mjs';
import { start } from './support/server.mjs';

let server;
const clients = [];
before(async () => { server = await start(); });
after(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
});

async function connect(options = {}, Client = BifrostClient) {
  const client = new Client(server.url, null, { WebSocket, ...options });
  clients.push(client);
  await client.connect();
  return client;
}

test('the server tells about itself on connect', async () => {
  const client = await connect();
  const info = await client.connectionInfo();

  assert.deepEqual(info.available_models, ['users', 'messages']);
  assert.equal(await client.ping(), 'pong');
});

test('rows are created, read, changed, upserted and deleted', async () => {
  const client = await connect();
  const created = await client.create('Users', { name: 'Bob', email: 'bob@example.com' });
  const byKey = await client.read('Users', created.id);
  const filtered = await client.read('Users', { email__startswith: 'bob@', id__gte: 1 }, { fields: ['id', 'name'], order_by: 'created_at DESC', limit: 10, offset: 0 });
  const options = await client.read('users', { where: { name: 'Bob' }, fields: ['name'] });
  const updated = await client.update('Users', created.id, { name: 'Robert' });
  const counted = await client.update('Users', { name__in: ['Ada', 'Grace'] }, { name: 'X' }, { dry_run: true });
  const upserted = await client.upsert('Users', { email: 'bob@example.com', name: 'Bobby' }, ['email']);
  const deleted = await client.delete('Users', created.id);

  assert.deepEqual(byKey, created);
  assert.deepEqual([...filtered], [{ id: created.id, name: 'Bob' }]);
  assert.deepEqual([...options], [{ name: 'Bob' }]);
  assert.equal(updated.name, 'Robert');
  assert.equal(counted.updated, 2);
  assert.deepEqual([upserted.id, upserted.name], [created.id, 'Bobby']);
  assert.deepEqual([deleted.deleted, await client.read('users', created.id)], [1, null]);
});

test('rows that were left off are announced, and follow', async () => {
  const client = await connect();
  const first = await client.read('users', { limit: 1 });
  const second = await client.read('users', { limit: 1, after: first.next });

  assert.equal(first.more, true);
  assert.notEqual(first[0].id, second[0].id);
});

test('errors carry the code and the details of the server', async () => {
  const client = await connect();
  const errors = await Promise.all([
    client.read('orders'), client.read('users', { nmae: 1 }), client.update('users', 999_999, { name: 'x' }),
    client.delete('users', {}), client.create('users', { email: 'no-name@example.com' }), client.send({ event: 'nothing' }),
  ].map(failure));

  assert.deepEqual(errors.map(({ code }) => code), ['unknown_model', 'unknown_field', 'not_found', 'bad_value', 'bad_value', 'unknown_event']);
});

test('a change of one client is heard by another and not by its author', async () => {
  const [writer, reader] = [await connect(), await connect()];
  const own = [];
  writer.onBroadcast((message) => own.push(message));
  const heard = new Promise((resolve) => reader.onBroadcast(resolve));
  const row = await writer.create('messages', { user_id: 1, text: 'hello' });

  assert.deepEqual(await heard, { event: 'change', model: 'messages', op: 'create', id: row.id, row });
  assert.deepEqual(own, []);
});

test('memory answers a second read until another client writes', async () => {
  const [writer, reader] = [await connect(), await connect({ cache: true })];
  const flags = [];
  const read = async () => flags.push((await reader.read('messages')).cached);
  await read();
  await read();
  const heard = new Promise((resolve) => reader.onBroadcast(resolve));
  await writer.create('messages', { user_id: 1, text: 'again' });
  await heard;
  await read();

  assert.deepEqual(flags, [false, true, false]);
});

test('the guide\'s subclass and pool work as they are written', async () => {
  class CustomZBifrost extends zBifrost {
    async customMethod(data) {
      return this.send({
        zKey: 'custom_command',
        zHorizontal: data,
      });
    }
  }
  class ClientPool {
    constructor(url, size = 5) {
      this.url = url;
      this.size = size;
      this.clients = [];
    }

    async initialize() {
      for (let i = 0; i < this.size; i++) {
        const client = new zBifrost(this.url);
        await client.connect();
        this.clients.push(client);
      }
    }

    async getClient() {
      // Simple round-robin
      const client = this.clients.shift();
      this.clients.push(client);
      return client;
    }

    async closeAll() {
      for (const client of this.clients) {
        client.disconnect();
      }
      this.clients = [];
    }
  }
  globalThis.WebSocket ??= WebSocket;
  const client = await connect({}, CustomZBifrost);
  const error = await failure(client.customMethod({ action: 'ping' }));
  const pool = new ClientPool(server.url, 5);
  await pool.initialize();
  const users = await (await pool.getClient()).read('Users');
  await pool.closeAll();

  assert.match(error.message, /custom_command/);
  assert.ok(users.length >= 2);
});

test('a token is taken as a subprotocol; a wrong one is refused with 1008', async (t) => {
  const guarded = await start({ settings: { 'websocket.require_auth': 'true', 'websocket.token': 'right+1/=' } });
  t.after(() => guarded.stop());
  const client = await createClient(guarded.url, 'right+1/=', { WebSocket });
  const info = await client.connectionInfo();
  client.disconnect();
  const refusals = [];
  for (const token of ['wrong', null]) {
    const error = await failure(createClient(guarded.url, token, { WebSocket }));
    refusals.push([error.code, error.closeCode, error.reason]);
  }

  assert.equal(info.auth.authenticated, true);
  assert.deepEqual(refusals, [['refused', 1008, 'Invalid token'], ['refused', 1008, 'Authentication required']]);
});

test('a client returns to a server that was started anew on its port', async (t) => {
  let other = await start();
  t.after(() => other.stop());
  const client = new BifrostClient(other.url, { WebSocket, reconnectDelay: 50 });
  t.after(() => client.disconnect());
  await client.connect();
  const lost = new Promise((resolve) => client.registerHook('onDisconnected', resolve));
  const back = new Promise((resolve) => client.onReconnect(resolve));
  const { port } = other;
  await other.stop();
  const { code, willReconnect } = await lost;
  client.unregisterHook('onDisconnected');
  const waiting = client.read('users');
  other = await start({ port });
  await back;

  assert.deepEqual([code, willReconnect], [1001, true]);
  assert.equal((await waiting).length, 2);
});

test('a live query has its rows, then what enters, changes and leaves', async () => {
  const client = await connect();
  const other = await connect();
  const seen = [];
  let wake = () => {};
  const until = async (count) => { while (seen.length < count) await new Promise((resolve) => { wake = resolve; }); };
  const onChange = ({ op, id, row }) => { seen.push([op, id, row?.text]); wake(); };
  const subscription = await client.subscribe('messages', { user_id: 7 }, { snapshot: true, onChange });
  const row = await other.create('messages', { user_id: 7, text: 'one' });
  await other.create('messages', { user_id: 8, text: 'not mine' });
  await other.update('messages', row.id, { text: 'two' });
  await other.update('messages', row.id, { user_id: 8 });
  await until(3);
  await subscription.unsubscribe();
  await other.update('messages', row.id, { user_id: 7 });
  await client.ping();

  assert.deepEqual(subscription.rows, []);
  assert.deepEqual(seen, [['enter', row.id, 'one'], ['change', row.id, 'two'], ['leave', row.id, undefined]]);
});

test('what may be asked of models is found out', async () => {
  const client = await connect();
  const { schemas, operations } = await client.discover();
  const introspected = await client.introspect('users');

  assert.deepEqual(schemas.map(({ name }) => name), ['users', 'messages']);
  assert.ok(operations.includes('read'));
  assert.equal(introspected.fields[0].name, 'id');
});

test('who joined a topic hears what is said on it', async () => {
  const [listener, speaker] = [await connect(), await connect()];
  let hear = () => {};
  const heard = new Promise((resolve) => { hear = resolve; });
  await listener.join('chat', (data, { topic }) => hear([topic, data]));
  const receivers = await speaker.publish('chat', { text: 'hello' });

  assert.equal(receivers, 1);
  assert.deepEqual(await heard, ['chat', { text: 'hello' }]);
});

test('a topic that nobody declared is refused', async () => {
  const client = await connect();
  assert.equal((await failure(client.join('undeclared'))).code, 'forbidden');
  assert.equal((await failure(client.publish('undeclared', 1))).code, 'forbidden');
});

/** How the three historic clients matched replies, cut down to that. */
const GENERATIONS = {
  // Counts from 0; whatever has no known id is a broadcast.
  first: (pending, broadcasts) => (message) => {
    if (pending.has(message._requestId)) settle(pending, message._requestId, message);
    else broadcasts.push(message);
  },
  // Settles its oldest request on a result without an id.
  second: (pending, broadcasts) => (message) => {
    if (message._requestId !== undefined && pending.has(message._requestId)) settle(pending, message._requestId, message);
    else if (('result' in message || 'error' in message) && pending.size) settle(pending, pending.keys().next().value, message);
    else broadcasts.push(message);
  },
  // Drops every result without an id.
  third: (pending, broadcasts) => (message) => {
    if (message._requestId !== undefined) settle(pending, message._requestId, message);
    else if (!('result' in message)) broadcasts.push(message);
  },
};

function settle(pending, id, message) {
  pending.get(id)?.(message);
  pending.delete(id);
}

for (const [name, generation] of Object.entries(GENERATIONS)) {
  test(`a historic client of the ${name} generation gets each reply for its request`, async (t) => {
    const socket = new WebSocket(server.url);
    t.after(() => socket.terminate());
    const [pending, broadcasts] = [new Map(), []];
    const matching = generation(pending, broadcasts);
    socket.on('message', (data) => matching(JSON.parse(data)));
    await new Promise((resolve) => socket.on('open', resolve));
    let next = 0;
    const send = (payload) => new Promise((resolve) => {
      const id = name === 'first' ? next++ : `r${next++}`;
      pending.set(id, resolve);
      socket.send(JSON.stringify({ ...payload, _requestId: id }));
    });
    const replies = await Promise.all([
      send({ zKey: 'read_Users', zHorizontal: { action: 'read', model: 'Users', where: { id: 1 } } }),
      send({ zKey: 'read_Orders', zHorizontal: { action: 'read', model: 'Orders' } }),
      send({ action: 'get_schema', model: '@.zSchema.users' }),
      send({ event: 'dispatch', zKey: '^List.users', zHorizontal: '^List.users' }),
    ]);

    assert.equal(replies[0].result[0].id, 1);
    assert.equal(replies[1].code, 'unknown_model');
    assert.equal(replies[2].result.model, 'users');
    assert.ok(replies[3].result.length >= 2);
    assert.deepEqual(broadcasts.filter(({ event }) => event === 'connection_info').length, 1);
  });
}
