// How a client connects, is refused, loses its connection and comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BifrostClient, createClient } from '../src/index.js';
import { HELLO, connected, failure, network, turn } from './support/fake.mjs';

const TIMERS = { apis: ['setTimeout', 'Date'] };

test('a client is connected only after the first message', async () => {
  const net = network();
  const client = new BifrostClient('ws://fake/', { WebSocket: net.FakeSocket });
  const connecting = client.connect();
  await turn();
  net.last().open();

  assert.equal(client.isConnected(), false);
  net.last().say(HELLO);
  assert.deepEqual(await connecting, HELLO.data);
  assert.equal(client.isConnected(), true);
});

test('a refusal after the upgrade rejects with code and reason', async () => {
  const net = network();
  const client = new BifrostClient('ws://fake/', { WebSocket: net.FakeSocket });
  const connecting = failure(client.connect());
  await turn();
  net.last().open();
  net.last().end(1008, 'Invalid token');
  const error = await connecting;

  assert.deepEqual([error.name, error.code, error.closeCode, error.reason], ['ConnectionError', 'refused', 1008, 'Invalid token']);
  assert.equal(client.isConnected(), false);
});

test('two connects at once make one connection', async () => {
  const net = network();
  const client = new BifrostClient('ws://fake/', { WebSocket: net.FakeSocket });
  const both = Promise.all([client.connect(), client.connect()]);
  await turn();
  net.last().greet();

  assert.deepEqual(await both, [HELLO.data, HELLO.data]);
  assert.equal(net.sockets.length, 1);
  assert.deepEqual(await client.connect(), HELLO.data);
});

test('a disconnect while connecting rejects the connect and dials no more', async (t) => {
  t.mock.timers.enable(TIMERS);
  const net = network();
  const client = new BifrostClient('ws://fake/', { WebSocket: net.FakeSocket });
  const connecting = failure(client.connect());
  await turn();
  client.disconnect();
  net.last().greet();
  t.mock.timers.tick(120_000);

  assert.equal((await connecting).code, 'disconnected');
  assert.equal(client.isConnected(), false);
  assert.equal(net.sockets.length, 1);
});

test('a server that never speaks is given up after the time-out', async (t) => {
  t.mock.timers.enable(TIMERS);
  const net = network();
  const client = new BifrostClient('ws://fake/', { WebSocket: net.FakeSocket, timeout: 1000 });
  const connecting = failure(client.connect());
  await turn();
  net.last().open();
  t.mock.timers.tick(1000);

  assert.equal((await connecting).code, 'connection_failed');
  assert.notEqual(net.last().closed, null);
});

test('waits are random within a span that doubles from half a second to twenty', async (t) => {
  t.mock.timers.enable(TIMERS);
  t.mock.method(Math, 'random', () => 1);
  const { last, sockets } = await connected();
  const spans = [];
  last().end(1006);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) {
      t.mock.timers.tick(100);
      waited += 100;
      await turn();
      assert.ok(waited <= 20_000);
    }
    spans.push(waited);
    last().end(1006);
  }

  assert.deepEqual(spans, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
});

test('the random part may be nothing', async (t) => {
  t.mock.timers.enable(TIMERS);
  t.mock.method(Math, 'random', () => 0);
  const { last, sockets } = await connected();
  last().end(1006);
  t.mock.timers.tick(1);
  await turn();

  assert.equal(sockets.length, 2);
});

test('a stable minute makes earlier losses forgotten, a second less does not', async (t) => {
  t.mock.timers.enable(TIMERS);
  t.mock.method(Math, 'random', () => 1);
  const { last, sockets } = await connected();
  const lose = async (lived) => {
    t.mock.timers.tick(lived);
    last().end(1006);
    const before = sockets.length;
    let waited = 0;
    while (sockets.length === before) {
      t.mock.timers.tick(100);
      await turn();
      waited += 100;
    }
    last().greet();
    return waited;
  };

  assert.deepEqual([await lose(0), await lose(59_000), await lose(60_000)], [500, 1000, 500]);
});

for (const [asked, least] of [[3000, 3000], [1e18, 20_000], [-5, 0], ['soon', 0], [Number.NaN, 0]]) {
  test(`a server that asks for ${asked} ms is left alone for ${least} ms`, async (t) => {
    t.mock.timers.enable(TIMERS);
    t.mock.method(Math, 'random', () => 0);
    const { last, sockets } = await connected();
    last().say({ event: 'server_shutdown', message: 'going', retry_after_ms: asked });
    last().end(1001);
    t.mock.timers.tick(Math.max(0, least - 1));
    await turn();
    const early = sockets.length;
    t.mock.timers.tick(1);
    await turn();

    assert.deepEqual([early, sockets.length], [least ? 1 : early, 2]);
  });
}

test('which endings a client returns after by itself', async (t) => {
  t.mock.timers.enable(TIMERS);
  for (const [code, returns] of [
    [1000, false], [1001, true], [1002, false], [1003, false], [1005, false], [1006, true], [1007, false], [1008, false],
    [1009, false], [1011, true], [1012, true], [1013, true], [1014, false], [3000, false], [4000, true], [4001, false],
    [4002, true], [4499, true], [4500, false],
  ]) {
    const endings = [];
    const { last, sockets } = await connected({ token: 't', hooks: { onDisconnected: (ending) => endings.push(ending) } });
    last().end(code, 'why');
    t.mock.timers.tick(20_000);
    await turn();

    assert.deepEqual([sockets.length, endings], [returns ? 2 : 1, [{ code, reason: 'why', willReconnect: returns }]], `${code}`);
  }
});

test('an expired token is followed by a new one where somebody gives it', async (t) => {
  t.mock.timers.enable(TIMERS);
  let count = 0;
  const { last, sockets } = await connected({ token: async () => `token-${(count += 1)}` });
  last().end(4001);
  t.mock.timers.tick(20_000);
  await turn();

  assert.equal(sockets.length, 2);
  assert.equal(Buffer.from(last().protocols[1].slice('token.'.length), 'base64url').toString(), 'token-2');
});

test('without autoReconnect a loss is an end', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { client, last, sockets } = await connected({ autoReconnect: false });
  last().end(1006);
  t.mock.timers.tick(120_000);
  await turn();

  assert.equal(sockets.length, 1);
  const again = client.connect();
  await turn();
  last().greet();
  assert.deepEqual(await again, HELLO.data);
});

test('a failing return is tried again, and told only once', async (t) => {
  t.mock.timers.enable(TIMERS);
  const events = [];
  const hooks = { onConnected: () => events.push('on'), onDisconnected: () => events.push('off') };
  const { client, last, sockets } = await connected({ hooks });
  last().end(1006);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    t.mock.timers.tick(20_000);
    await turn();
    last().end(1006);
  }
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();

  assert.deepEqual([events, sockets.length, client.isConnected()], [['on', 'off', 'on'], 5, true]);
});

test('messages and endings of a former socket are nobody\'s', async (t) => {
  t.mock.timers.enable(TIMERS);
  const heard = [];
  const { client, sockets, last } = await connected();
  client.onBroadcast((message) => heard.push(message));
  const [former] = sockets;
  former.end(1006);
  t.mock.timers.tick(20_000);
  await turn();
  last().greet();
  former.say({ event: 'news' });
  former.end(1000);

  assert.deepEqual([heard, client.isConnected()], [[], true]);
});

test('a token goes as a subprotocol, and into the query only where that is not understood', async () => {
  const net = network();
  const client = new BifrostClient('ws://fake/ws?app_name=shop', 'ü&=+ 1', { WebSocket: net.FakeSocket });
  const connecting = client.connect();
  await turn();
  const [first] = net.sockets;
  assert.equal(first.url, 'ws://fake/ws?app_name=shop');
  assert.deepEqual(first.protocols, ['zcomm', `token.${Buffer.from('ü&=+ 1').toString('base64url')}`]);

  first.end(1006);
  const second = net.last();
  assert.deepEqual([second.url, second.protocols], ['ws://fake/ws?app_name=shop&token=%C3%BC%26%3D%2B%201', undefined]);
  second.greet();
  await connecting;
});

test('a server that took the subprotocol never sees the token in its address', async (t) => {
  t.mock.timers.enable(TIMERS);
  const { sockets, last } = await connected({ token: 'secret' });
  last().end(1006);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    t.mock.timers.tick(20_000);
    await turn();
    last().end(1006);
  }

  assert.equal(sockets.length, 4);
  for (const socket of sockets) assert.doesNotMatch(socket.url, /token|secret/);
});

test('the line may be asked for when the network returns, and a dead one is left', async (t) => {
  const window = new EventTarget();
  globalThis.window = window;
  t.after(() => delete globalThis.window);
  t.mock.timers.enable(TIMERS);
  t.mock.method(Math, 'random', () => 1);
  const { last, sockets } = await connected();

  window.dispatchEvent(new Event('online'));
  assert.equal(last().sent.at(-1).event, 'ping');
  t.mock.timers.tick(5000);
  await turn();
  assert.equal(sockets.length, 1);
  window.dispatchEvent(new Event('online'));
  await turn();
  assert.equal(sockets.length, 2);
});

test('a hidden tab stays out of the rush and comes when it is shown', async (t) => {
  const page = Object.assign(new EventTarget(), { hidden: true });
  globalThis.document = page;
  t.after(() => delete globalThis.document);
  t.mock.timers.enable(TIMERS);
  const { last, sockets } = await connected();
  last().end(1006);
  t.mock.timers.tick(19_999);
  await turn();
  assert.equal(sockets.length, 1);

  page.hidden = false;
  page.dispatchEvent(new Event('visibilitychange'));
  await turn();
  assert.equal(sockets.length, 2);
});

test('addresses: http means ws, anything else is refused, none needs a page', () => {
  const { FakeSocket: WebSocket } = network();
  assert.throws(() => new BifrostClient('ftp://fake', { WebSocket }), TypeError);
  assert.throws(() => new BifrostClient(undefined, { WebSocket }), TypeError);
});

test('debugging shows no token', async (t) => {
  const lines = [];
  t.mock.method(console, 'debug', (...parts) => lines.push(parts.join(' ')));
  const net = network();
  const client = new BifrostClient('ws://fake/?token=secret-1', { WebSocket: net.FakeSocket, debug: true });
  const connecting = client.connect();
  await turn();
  net.last().greet();
  await connecting;
  failure(client.authenticate('secret-2"\\'));
  client.disconnect();

  assert.match(lines.join('\n'), /"token":"\*\*\*"/);
  assert.doesNotMatch(lines.join('\n'), /secret/);
});

test('createClient gives a client that is connected', async () => {
  const net = network();
  const creating = createClient('ws://fake/', 'abc', { WebSocket: net.FakeSocket });
  await turn();
  net.last().greet();

  assert.equal((await creating).isConnected(), true);
});
