// What comes unasked: hooks, broadcasts, subscriptions, questions; and the memory that lives by them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HELLO, connected, failure, turn } from './support/fake.mjs';

const TIMERS = { apis: ['setTimeout', 'Date'] };
const change = (subscription, seq, more = {}) => ({ event: 'change', subscription, seq, model: 'users', op: 'change', id: 1, ...more });

/** Answers the last subscribe. */
const accept = (socket, subscription, more = {}) => socket.answer('subscribe', { result: { subscription, ...more } });

test('hooks hear what they are named after', async () => {
  const heard = [];
  const note = (name) => (value) => void heard.push([name, value?.event ?? value?.type ?? value]);
  const names = ['onConnecting', 'onConnected', 'onMessage', 'onBroadcast', 'onDisplay', 'onInput'];
  const { last } = await connected({ hooks: Object.fromEntries(names.map((name) => [name, note(name)])) });
  last().say({ event: 'display', data: { type: 'text' } });
  last().say({ event: 'news' });
  last().say({ event: 'input_request', requestId: 'q', type: 'text', prompt: '?' });

  assert.deepEqual(heard, [
    ['onConnecting', 'ws://fake/ws'], ['onConnected', HELLO.data], ['onMessage', 'connection_info'],
    ['onMessage', 'display'], ['onDisplay', 'text'], ['onMessage', 'news'], ['onBroadcast', 'news'],
    ['onMessage', 'input_request'], ['onInput', 'input_request'],
  ]);
});

test('a hook that throws, at once or later, is reported and breaks nothing', async () => {
  const errors = [];
  const { client, last } = await connected({
    hooks: {
      onConnected: () => { throw new Error('one'); },
      onMessage: async () => { throw 'two'; },
      onError: (error) => { errors.push(error.message); throw new Error('worse'); },
    },
  });
  client.onBroadcast(() => { throw new Error('three'); });
  const heard = [];
  client.onBroadcast((message) => heard.push(message.event));
  const console = globalThis.console.error;
  globalThis.console.error = () => {};
  last().say({ event: 'news' });
  await turn();
  globalThis.console.error = console;

  assert.deepEqual(errors.sort(), ['one', 'three', 'two', 'two']);
  assert.deepEqual(heard, ['news']);
  assert.equal(client.isConnected(), true);
});

test('hooks can be set, listed and removed; others do not exist', async () => {
  const { client } = await connected();
  client.registerHook('onBroadcast', () => {});

  assert.deepEqual(client.listHooks(), ['onBroadcast']);
  assert.equal(client.unregisterHook('onBroadcast'), true);
  assert.deepEqual(client.listHooks(), []);
  assert.throws(() => client.registerHook('onEverything', () => {}), /no hook `onEverything`; there are: onConnecting/);
  assert.throws(() => client.registerHook('onError', 1), TypeError);
});

test('a listener hears broadcasts until it is removed', async () => {
  const { client, last } = await connected();
  const heard = [];
  const listener = (message) => heard.push(message.n);
  client.onBroadcast(listener);
  last().say({ event: 'news', n: 1 });
  client.removeBroadcastListener(listener);
  last().say({ event: 'news', n: 2 });

  assert.deepEqual(heard, [1]);
});

test('what an input hook returns is the answer; nothing leaves it open', async () => {
  const { client, last } = await connected();
  client.registerHook('onInput', async ({ prompt }) => (prompt === 'later' ? undefined : prompt.length));
  last().say({ event: 'input_request', requestId: 'a', type: 'text', prompt: 'four' });
  last().say({ event: 'input_request', requestId: 'b', type: 'text', prompt: 'later' });
  await turn();
  client.sendInputResponse('b', false);

  assert.deepEqual(last().sent, [
    { event: 'input_response', requestId: 'a', value: 4 },
    { event: 'input_response', requestId: 'b', value: false },
  ]);
});

test('changes go to their subscription, in order and once, and to nobody else', async () => {
  const { client, last } = await connected();
  const [seen, broadcasts] = [[], []];
  client.onBroadcast((message) => broadcasts.push(message));
  const subscribing = client.subscribe('users', { active: true }, { snapshot: true, onChange: ({ seq }) => seen.push(seq), onSnapshot: (rows) => seen.push(rows) });
  const { _requestId, ...asked } = last().sent[0];
  accept(last(), 's1', { rows: [{ id: 1 }], seq: 5 });
  // Before whoever awaits the subscription had a chance to go on.
  last().say(change('s1', 5));
  last().say(change('s1', 6));
  const sub = await subscribing;
  last().say(change('s1', 7));
  last().say(change('s2', 1));

  assert.deepEqual(asked, { event: 'subscribe', model: 'users', where: { active: true }, snapshot: true });
  assert.deepEqual(seen, [[{ id: 1 }], 6, 7]);
  assert.deepEqual([sub.id, sub.seq, sub.rows, broadcasts], ['s1', 7, [{ id: 1 }], []]);
});

for (const [what, message] of [['a gap', change('s1', 9)], ['a resync', { event: 'resync', subscription: 's1' }]]) {
  test(`${what} makes a fresh snapshot`, async () => {
    const { client, last } = await connected();
    const seen = [];
    const subscribing = client.subscribe('users', null, { onChange: ({ seq }) => seen.push(seq), onSnapshot: (rows) => seen.push(rows) });
    accept(last(), 's1', { seq: 1 });
    await subscribing;
    last().say(message);
    last().say(change('s1', 10));
    const [, stop, again] = last().sent;
    accept(last(), 's2', { rows: [{ id: 2 }], seq: 20 });
    last().say(change('s2', 21));

    assert.deepEqual([stop.event, stop.subscription, again.event, again.snapshot], ['unsubscribe', 's1', 'subscribe', true]);
    assert.deepEqual(seen, [[{ id: 2 }], 21]);
  });
}

test('subscriptions and topics come back after a reconnect, with fresh rows', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  const seen = [];
  let pending = client.subscribe('users', { a: 1 }, { onSnapshot: (rows) => seen.push(rows), onChange: ({ seq }) => seen.push(seq) });
  accept(last(), 's1');
  const sub = await pending;
  pending = client.join('news', (data) => seen.push(data));
  accept(last(), 's2');
  await pending;
  last().end(1006);
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();
  accept(last(), 's7', { rows: [], seq: 3 });
  await turn();
  accept(last(), 's8');
  last().say(change('s7', 4));
  last().say({ event: 'message', topic: 'news', data: 'hello', seq: 1 });
  last().say({ event: 'message', topic: 'other', data: 'nobody', seq: 1 });

  assert.deepEqual(last().sent.map(({ _requestId, ...message }) => message), [
    { event: 'subscribe', model: 'users', where: { a: 1 }, snapshot: true }, { event: 'subscribe', topic: 'news' },
  ]);
  assert.deepEqual([seen, sub.id], [[[], 4, 'hello'], 's7']);
});

test('after an unsubscribe nothing is heard and nothing comes back', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  const seen = [];
  const pending = client.join('news', (data) => seen.push(data));
  accept(last(), 's1');
  await pending;
  const leaving = client.unsubscribe('news');
  last().answer('unsubscribe', { result: true });
  await leaving;
  last().say({ event: 'message', topic: 'news', data: 1 });
  last().end(1006);
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();

  assert.deepEqual([seen, last().sent], [[], []]);
});

test('a subscription that is refused is an error, and none', async () => {
  const { client, last } = await connected();
  const failing = failure(client.join('secret'));
  last().answer('subscribe', { error: 'no', code: 'forbidden' });

  assert.equal((await failing).code, 'forbidden');
});

test('a new identity shows in what is known of the connection, and serves the next one', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last } = await connected();
  const renewing = client.authenticate('new');
  last().answer('auth', { result: { user: 'ada' } });
  assert.deepEqual(await renewing, { user: 'ada' });
  last().end(1006);
  t.mock.timers.tick(20_000);
  await turn();

  assert.equal(last().protocols[1], `token.${Buffer.from('new').toString('base64url')}`);
});

test('a new token for a client that was sent away connects it again', async () => {
  const { client, last, sockets } = await connected({ token: 'old' });
  last().end(4001, 'token expired');
  const again = client.authenticate('new');
  await turn();
  last().greet();
  await again;

  assert.deepEqual([sockets.length, client.isConnected()], [2, true]);
  assert.equal(last().protocols[1], `token.${Buffer.from('new').toString('base64url')}`);
});

test('identical reads are answered from memory until something changes', async () => {
  const { client, last } = await connected({ cache: true });
  const read = async (result) => {
    const before = last().sent.length;
    const reading = client.read('users', { a: 1 });
    const asked = last().sent.length > before;
    if (asked) last().answer('dispatch', { result });
    return [asked, (await reading)[0], (await reading).cached];
  };

  assert.deepEqual(await read(['one']), [true, 'one', false]);
  assert.deepEqual(await read(['two']), [false, 'one', true]);
  last().say({ event: 'change', model: 'messages', op: 'create', id: 1 });
  assert.deepEqual(await read(['two']), [false, 'one', true]);
  last().say({ event: 'change', model: 'Users', op: 'create', id: 1 });
  assert.deepEqual(await read(['two']), [true, 'two', false]);
  // The writer itself is told of nothing.
  const writing = client.update('users', 1, {});
  last().answer('dispatch', { result: {} });
  await writing;
  assert.deepEqual(await read(['three']), [true, 'three', false]);
  const calling = client.zFunc('f');
  last().answer('dispatch', { result: 1 });
  await calling;
  assert.deepEqual(await read(['four']), [true, 'four', false]);
});

test('an answer on its way when the change came is not kept', async () => {
  const { client, last } = await connected({ cache: true });
  const reading = client.read('users');
  const asked = last().sent.at(-1);
  last().say({ event: 'change', model: 'users', op: 'update', id: 1 });
  last().say({ result: ['old'], _requestId: asked._requestId });
  await reading;
  const again = client.read('users');
  last().answer('dispatch', { result: ['new'] });

  assert.deepEqual([...(await again)], ['new']);
});

test('what a reader does to rows from memory, the next reader does not see', async () => {
  const { client, last } = await connected({ cache: true });
  const reading = client.read('users');
  last().answer('dispatch', { result: [{ id: 1 }] });
  (await reading)[0].id = 'changed';

  assert.deepEqual([...(await client.read('users'))], [{ id: 1 }]);
  const rows = await client.read('users');
  rows[0].id = 'changed';
  assert.deepEqual([...(await client.read('users'))], [{ id: 1 }]);
});

test('nothing is remembered where nobody tells of changes, nor longer than asked for', async (t) => {
  t.mock.timers.enable(TIMERS);
  const deaf = await connected({ cache: true }, { event: 'connection_info', data: { features: [] } });
  for (let count = 0; count < 2; count += 1) {
    const reading = deaf.client.read('users');
    deaf.last().answer('dispatch', { result: [] });
    await reading;
  }
  assert.equal(deaf.last().sent.length, 2);

  const { client, last } = await connected({ cache: true });
  const ttl = client.setCacheTTL(2);
  last().answer('set_cache_ttl', { result: 'ok' });
  await ttl;
  const reading = client.read('users');
  last().answer('dispatch', { result: [] });
  await reading;
  t.mock.timers.tick(2000);
  client.read('users').catch(() => {});
  assert.equal(last().sent.length, 3);
});
