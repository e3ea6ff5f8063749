// A socket that does what a test says, and a client on it. Opens nothing.

import { after } from 'node:test';

import { BifrostClient } from '../../src/index.js';

export const HELLO = {
  event: 'connection_info',
  data: { server_version: '0.1.0', features: ['connection_info', 'realtime_sync', 'legacy_broadcast'], auth: { user: null } },
};

/** Each test has a network of its own: the sockets that its clients dialled, in order. */
export function network() {
  const sockets = [];
  class FakeSocket {
    sent = [];
    closed = null;

    constructor(url, protocols) {
      Object.assign(this, { url, protocols });
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code, reason) {
      this.closed = { code, reason };
    }

    open() {
      this.onopen?.({});
    }

    say(message) {
      this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) });
    }

    end(code, reason = '') {
      this.onclose?.({ code, reason });
    }

    greet(message = HELLO) {
      this.open();
      this.say(message);
    }

    /** Answers the last request of this event. */
    answer(event, reply) {
      const asked = this.sent.findLast((message) => message.event === event);
      this.say({ ...reply, _requestId: asked._requestId });
    }
  }
  return { sockets, FakeSocket, last: () => sockets.at(-1) };
}

/** Their deadlines would keep the process from ending. */
const clients = [];
after(() => clients.forEach((client) => client.disconnect()));

/** A client that is connected to a socket which does what the test says. */
export async function connected(options = {}, hello = HELLO) {
  const net = network();
  const client = new BifrostClient('ws://fake/ws', { WebSocket: net.FakeSocket, ...options });
  clients.push(client);
  const connecting = client.connect();
  await turn();
  net.last().greet(hello);
  await connecting;
  return { ...net, client };
}

/** Lets everything happen that waits for nothing but its turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The error of a promise that has to fail. */
export const failure = (promise) => promise.then((value) => { throw new Error(`it gave ${JSON.stringify(value)}`); }, (error) => error);
