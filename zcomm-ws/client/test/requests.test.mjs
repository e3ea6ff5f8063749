// Requests: how they look, how replies find them, and how they end without one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BifrostClient } from '../src/index.js';
import { connected, failure, turn } from './support/fake.mjs';

const TIMERS = { apis: ['setTimeout', 'Date'] };
const bare = ({ _requestId, ...message }) => message;

test('each call is the message that the protocol has for it', async () => {
  const { client, last } = await connected();
  const check = (call, message) => {
    call(client).catch(() => {});
    assert.deepEqual(bare(last().sent.at(-1)), message);
  };

  check((c) => c.create('Users', { name: 'A' }), { event: 'dispatch', action: 'create', model: 'Users', data: { name: 'A' } });
  check((c) => c.create('Users', { name: 'A' }, { idempotency_key: 'k' }),
    { event: 'dispatch', action: 'create', model: 'Users', data: { name: 'A' }, idempotency_key: 'k' });
  check((c) => c.read('Users'), { event: 'dispatch', action: 'read', model: 'Users' });
  check((c) => c.read('Users', 7), { event: 'dispatch', action: 'read', model: 'Users', where: 7 });
  check((c) => c.read('Users', { active: true }, { limit: 10 }),
    { event: 'dispatch', action: 'read', model: 'Users', where: { active: true }, limit: 10 });
  check((c) => c.read('Users', { where: { active: true }, order_by: '-id', timeout: 5 }),
    { event: 'dispatch', action: 'read', model: 'Users', where: { active: true }, order_by: '-id' });
  check((c) => c.read('Users', { filters: { active: true } }), { event: 'dispatch', action: 'read', model: 'Users', filters: { active: true } });
  check((c) => c.read('Users', { limit: 3, active: true }), { event: 'dispatch', action: 'read', model: 'Users', where: { limit: 3, active: true } });
  check((c) => c.read('Users', {}), { event: 'dispatch', action: 'read', model: 'Users', where: {} });
  check((c) => c.update('Users', 7, { name: 'B' }), { event: 'dispatch', action: 'update', model: 'Users', where: 7, data: { name: 'B' } });
  check((c) => c.update('Users', {}, { name: 'B' }, { all: true }),
    { event: 'dispatch', action: 'update', model: 'Users', where: {}, data: { name: 'B' }, all: true });
  check((c) => c.delete('Users', { inactive: true }), { event: 'dispatch', action: 'delete', model: 'Users', where: { inactive: true } });
  check((c) => c.upsert('Users', { email: 'a' }, ['email']),
    { event: 'dispatch', action: 'upsert', model: 'Users', data: { email: 'a' }, conflict_fields: ['email'] });
  check((c) => c.zFunc('zFunc(total, {cart_id: 1})'), { event: 'dispatch', zKey: 'zFunc', zHorizontal: 'zFunc(total, {cart_id: 1})' });
  check((c) => c.zFunc('total', { cart: 'a)b' }), { event: 'dispatch', zKey: 'zFunc', zHorizontal: 'zFunc(total, {"cart":"a)b"})' });
  check((c) => c.zLink('/admin'), { event: 'dispatch', zKey: 'zLink', zHorizontal: 'zLink(/admin)' });
  check((c) => c.zOpen('zOpen(a.yaml)'), { event: 'dispatch', zKey: 'zOpen', zHorizontal: 'zOpen(a.yaml)' });
  check((c) => c.publish('t', { a: 1 }), { event: 'publish', topic: 't', data: { a: 1 } });
  check((c) => c.getSchema('users'), { event: 'get_schema', model: 'users' });
  check((c) => c.introspect(), { event: 'introspect' });
  check((c) => c.setCacheTTL(120), { event: 'set_cache_ttl', ttl: 120 });
  check((c) => c.clearCache('all'), { event: 'clear_cache', scope: 'all' });
});

test('replies find their requests out of order, and a second or strange one finds none', async () => {
  const { client, last } = await connected();
  const heard = [];
  client.onBroadcast((message) => heard.push(message));
  const replies = Promise.all([client.send({ event: 'a' }), client.send({ event: 'b' })]);
  const [a, b] = last().sent;
  last().say({ result: 'B', _requestId: b._requestId });
  last().say({ result: 'B again', _requestId: b._requestId });
  last().say({ result: 'nobody asked', _requestId: 0 });
  last().say({ result: 'wrong type', _requestId: String(a._requestId) });
  last().say({ result: null, _requestId: a._requestId });

  assert.deepEqual(await replies, [null, 'B']);
  assert.deepEqual(heard, []);
});

test('an error reply rejects with code and details, also with details of older servers', async () => {
  const { client, last } = await connected();
  const first = failure(client.read('orders'));
  last().answer('dispatch', { error: 'there is no model `orders`', code: 'unknown_model', details: { known: ['users'] } });
  const second = failure(client.read('orders'));
  last().answer('dispatch', { error: 'no', details: 'because' });
  const [now, before] = [await first, await second];

  assert.deepEqual([now.name, now.code, now.message, now.details],
    ['BifrostError', 'unknown_model', 'there is no model `orders`', { known: ['users'] }]);
  assert.deepEqual([before.code, before.details], ['error', { text: 'because' }]);
});

test('rows carry what the server said of them, unseen by whoever goes through them', async () => {
  const { client, last } = await connected();
  const reading = client.read('users');
  last().answer('dispatch', { result: [{ id: 1 }], _more: true, _next: 'c', _cached: true });
  const rows = await reading;

  assert.deepEqual([rows.more, rows.next, rows.cached], [true, 'c', true]);
  assert.deepEqual(Object.keys(rows), ['0']);
  assert.deepEqual(rows, [{ id: 1 }]);
});

test('a request ends at its deadline, and a late reply is dropped', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  const failing = failure(client.send({ event: 'slow' }, 50));
  t.mock.timers.tick(50);
  last().answer('slow', { result: 1 });

  assert.equal((await failing).code, 'timeout');
});

test('a signal ends the waiting', async () => {
  const { client, last } = await connected();
  const controller = new AbortController();
  const reason = new Error('enough');
  const failing = failure(client.read('users', {}, { signal: controller.signal }));
  controller.abort(reason);

  assert.equal(await failing, reason);
  assert.equal(await failure(client.read('users', {}, { signal: controller.signal })), reason);
  assert.equal(last().sent.length, 1);
});

test('what is pending when the socket closes is rejected by name', async () => {
  const { client, last } = await connected();
  const failing = [failure(client.read('users')), failure(client.create('users', {}))];
  last().end(1006);
  const errors = await Promise.all(failing);

  assert.deepEqual(errors.map(({ name, code }) => [name, code]),
    [['ConnectionError', 'connection_lost'], ['ConnectionError', 'connection_lost']]);
});

test('while it is away, reads and repeatable creates wait, and other writes fail at once', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  last().end(1006);
  const reading = client.read('users');
  const creating = client.create('users', { name: 'A' }, { idempotency_key: 'k' });
  const refused = await Promise.all([
    failure(client.create('users', {})), failure(client.update('users', 1, {})), failure(client.delete('users', 1)),
    failure(client.zFunc('f')), failure(client.publish('t', 1)),
  ]);
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();
  assert.deepEqual(last().sent.map(({ action }) => action), ['read', 'create']);
  for (const { _requestId } of last().sent) last().say({ result: _requestId, _requestId });

  assert.deepEqual(new Set(refused.map(({ code }) => code)), new Set(['not_connected']));
  assert.deepEqual([await reading, await creating], last().sent.map(({ _requestId }) => _requestId));
});

test('what waits survives attempts that fail', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  last().end(1006);
  const reading = client.read('users', {}, { timeout: 60_000 });
  t.mock.timers.tick(20_000);
  await turn();
  last().end(1006);
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();
  last().answer('dispatch', { result: [] });

  assert.deepEqual([...(await reading)], []);
});

test('no more than a hundred wait, each no longer than its deadline', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  last().end(1006);
  const waiting = Array.from({ length: 100 }, () => failure(client.read('users', {}, { timeout: 10 })));

  assert.equal((await failure(client.read('users'))).code, 'queue_full');
  t.mock.timers.tick(10);
  const errors = await Promise.all(waiting);
  assert.deepEqual(new Set(errors.map(({ code }) => code)), new Set(['timeout']));
});

test('what waits fails when the connection will not return', async () => {
  const { client, last } = await connected();
  last().end(1006);
  const waiting = failure(client.read('users'));
  client.disconnect();

  assert.equal((await waiting).code, 'disconnected');
  assert.equal((await failure(client.read('users'))).code, 'not_connected');
});

test('a client that never connected says so', async () => {
  const client = new BifrostClient('ws://fake/', { WebSocket: class {} });

  assert.match((await failure(client.read('users'))).message, /call `connect\(\)` first/);
});

test('what a hostile server sends breaks nothing', async () => {
  const errors = [];
  const heard = [];
  const { client, last } = await connected({ hooks: { onError: (error) => errors.push(error.code) } });
  client.onBroadcast((message) => heard.push(message));
  for (const text of ['', 'null', '[]', '"x"', '7', '{', '\ufeff{}']) last().say(text);
  last().say('{"__proto__":{"polluted":true},"event":"x"}');
  last().say({ error: 'the message has no `event`', code: 'bad_request' });
  last().say({ result: 'for nobody' });
  last().say({ event: 'change', subscription: 'unknown', seq: 1 });

  assert.deepEqual(errors, [...Array(7).fill('invalid_json'), 'bad_request']);
  assert.equal(heard.length, 1);
  assert.equal({}.polluted, undefined);
  assert.equal(client.isConnected(), true);
});

test('a binary message that holds JSON is a message', async () => {
  const { client, last } = await connected();
  const pinging = client.ping();
  const reply = JSON.stringify({ result: 'pong', _requestId: last().sent[0]._requestId });
  last().onmessage({ data: new TextEncoder().encode(reply).buffer });

  assert.equal(await pinging, 'pong');
});
