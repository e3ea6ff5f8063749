// Requests and the replies they wait for, matched by id. Knows no socket.

import { BifrostError } from './errors.js';

/** How many requests may wait for the connection to return. */
const MOST_WAITING = 100;

/** A timer beyond this ends at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * @typedef {object} Waiting
 * @property {string} text
 * @property {boolean} sent
 * @property {(message: Record<string, any>) => void} reply
 * @property {(error: Error) => void} fail
 */

/** Each request is settled once: by its reply, its deadline, its signal, or the end of the connection. */
export class Requests {
  /** @type {Map<unknown, Waiting>} */
  #pending = new Map();
  #last = 0;
  #transmit;

  /** @param {(text: string) => void} transmit sends a text, now */
  constructor(transmit) {
    this.#transmit = transmit;
  }

  /**
   * @param {Record<string, any>} payload
   * @param {{timeout: number, signal?: AbortSignal, now: boolean, onReply?: (message: any) => void}} how
   *   `now` is false while the connection is away: the request waits for it
   * @returns {Promise<any>} the whole reply
   */
  ask(payload, { timeout, signal, now, onReply }) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = ++this.#last;
      const text = JSON.stringify({ ...payload, _requestId: id });
      if (!now && this.#waiting() >= MOST_WAITING) {
        return reject(new BifrostError('queue_full', `${MOST_WAITING} requests wait for the connection already`));
      }
      /** @type {(act: (value: any) => void, value: unknown) => void} */
      const settle = (act, value) => {
        this.#pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        act(value);
      };
      const late = () => settle(reject, new BifrostError('timeout', `no answer within ${timeout} ms`));
      const timer = setTimeout(late, Math.min(timeout, LONGEST_TIMER));
      const abort = () => settle(reject, signal?.reason);
      signal?.addEventListener('abort', abort);
      this.#pending.set(id, {
        text,
        sent: now,
        fail: (error) => settle(reject, error),
        reply: (message) => {
          if (message.error !== undefined) return settle(reject, refusal(message));
          // Before the promise: the next message may come before whoever awaits it goes on.
          onReply?.(message);
          settle(resolve, message);
        },
      });
      if (now) this.#transmit(text);
    });
  }

  /**
   * Gives a reply to its request.
   *
   * @param {Record<string, any>} message
   * @returns {boolean} whether one waited for it; late ones and doubles have none
   */
  settle(message) {
    const waiting = this.#pending.get(message._requestId);
    waiting?.reply(message);
    return waiting !== undefined;
  }

  /** Sends what waited for the connection. */
  flush() {
    for (const waiting of this.#pending.values()) {
      if (waiting.sent) continue;
      waiting.sent = true;
      this.#transmit(waiting.text);
    }
  }

  /**
   * Fails what was sent, for its reply can come no more; and the rest too if the connection does not return.
   *
   * @param {Error} error
   * @param {boolean} returns
   */
  fail(error, returns) {
    for (const waiting of [...this.#pending.values()]) if (waiting.sent || !returns) waiting.fail(error);
  }

  #waiting() {
    let count = 0;
    for (const waiting of this.#pending.values()) if (!waiting.sent) count += 1;
    return count;
  }
}

/**
 * The error that an error reply means. Older servers send a text as details.
 *
 * @param {Record<string, any>} message
 */
export function refusal({ error, code, details }) {
  const known = typeof details === 'string' ? { text: details } : details;
  return new BifrostError(typeof code === 'string' ? code : 'error', String(error), known ?? {});
}
