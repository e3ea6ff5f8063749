// Live queries and topics: which there are, where their changes go, and how they come back. Asks through the client.

import { asError } from './errors.js';

/**
 * @typedef {object} Port what subscriptions need of their client
 * @property {(payload: Record<string, any>, onReply?: (message: any) => void) => Promise<any>} ask
 * @property {(hook: Function | undefined, values: unknown[]) => unknown} guard
 * @property {(error: Error) => void} report
 */

/** One live query, or one topic. */
export class Subscription {
  /** The server's name for it; another one after each reconnect. @type {unknown} */
  id = undefined;
  /** The number of its last change. @type {number | undefined} */
  seq = undefined;
  /** @type {(sub: Subscription) => Promise<void>} */
  #end;

  /**
   * @param {Record<string, any>} target `{model, where}` or `{topic}`
   * @param {Record<string, any>} options
   * @param {(sub: Subscription) => Promise<void>} end
   */
  constructor(target, options, end) {
    this.target = target;
    this.options = options;
    /** The rows of the last snapshot. @type {any[] | undefined} */
    this.rows = undefined;
    this.#end = end;
  }

  get model() {
    return this.target.model;
  }

  get topic() {
    return this.target.topic;
  }

  unsubscribe() {
    return this.#end(this);
  }
}

/** All subscriptions of a client. */
export class Subscriptions {
  /** @type {Set<Subscription>} */
  #all = new Set();
  /** @type {Map<unknown, Subscription>} */
  #byId = new Map();
  /** Counts the returns of the connection, so that a restoring that was overtaken notices. */
  #era = 0;
  #port;
  /** Whether there ever was one: then the server no longer tells of changes unasked. */
  used = false;

  /** @param {Port} port */
  constructor(port) {
    this.#port = port;
  }

  /**
   * @param {Record<string, any>} target
   * @param {Record<string, any>} options
   */
  async add(target, options) {
    this.used = true;
    const sub = new Subscription(target, options, (its) => this.remove(its));
    await this.#start(sub, options.snapshot === true);
    return sub;
  }

  /** @param {unknown} which a subscription, its id, or its topic */
  async remove(which) {
    for (const sub of this.#all) {
      if (sub !== which && sub.id !== which && (sub.topic === undefined || sub.topic !== which)) continue;
      this.#all.delete(sub);
      await this.#stop(sub);
    }
  }

  /** After a reconnect: the server knows of none, and what changed meanwhile is in a fresh snapshot. */
  async restore() {
    this.#byId.clear();
    const era = ++this.#era;
    // One after the other: all at once could be more than the server takes at a time.
    for (const sub of this.#all) if (era === this.#era) await this.#again(sub);
  }

  /** Whether the changes of a whole model are heard. @param {string} model */
  covers(model) {
    for (const sub of this.#byId.values()) if (sub.model === model && sub.target.where === undefined) return true;
    return false;
  }

  /**
   * Gives an unasked message to its subscription.
   *
   * @param {Record<string, any>} message
   * @returns {boolean} whether it was for one
   */
  take(message) {
    if (message.event === 'message') return this.#topic(message);
    if (message.subscription === undefined) return false;
    const sub = this.#byId.get(message.subscription);
    // One for nobody came after its subscription ended.
    if (sub && message.event === 'resync') this.#resync(sub);
    else if (sub && message.event === 'change') this.#change(sub, message);
    return message.event === 'resync' || message.event === 'change';
  }

  /** @param {Record<string, any>} message */
  #topic(message) {
    let taken = false;
    for (const sub of this.#all) {
      if (sub.topic === undefined || sub.topic !== message.topic) continue;
      taken = true;
      this.#port.guard(sub.options.onMessage, [message.data, message]);
    }
    return taken;
  }

  /**
   * @param {Subscription} sub
   * @param {Record<string, any>} message
   */
  #change(sub, message) {
    const { seq } = message;
    if (typeof seq === 'number' && sub.seq !== undefined) {
      if (seq <= sub.seq) return;
      if (seq > sub.seq + 1) return this.#resync(sub);
    }
    sub.seq = seq;
    this.#port.guard(sub.options.onChange, [message, sub]);
  }

  /** @param {Subscription} sub */
  #resync(sub) {
    // Changes on the way belong to the old state: nothing is left that they could find.
    this.#byId.delete(sub.id);
    this.#stop(sub);
    this.#again(sub);
  }

  /** @param {Subscription} sub */
  #again(sub) {
    return this.#start(sub, sub.model !== undefined).catch((error) => {
      if (error.name !== 'ConnectionError') this.#port.report(asError(error));
    });
  }

  /**
   * @param {Subscription} sub
   * @param {boolean} snapshot
   */
  #start(sub, snapshot) {
    const payload = { event: 'subscribe', ...sub.target, ...(snapshot && { snapshot }) };
    return this.#port.ask(payload, ({ result }) => {
      sub.id = result?.subscription;
      sub.seq = result?.seq;
      this.#all.add(sub);
      this.#byId.set(sub.id, sub);
      if (!Array.isArray(result?.rows)) return;
      sub.rows = result.rows;
      this.#port.guard(sub.options.onSnapshot, [result.rows, sub]);
    });
  }

  /** @param {Subscription} sub */
  #stop(sub) {
    this.#byId.delete(sub.id);
    // Should it fail, the connection is gone, and the subscription with it.
    return this.#port.ask({ event: 'unsubscribe', ...sub.target, subscription: sub.id }).then(() => {}, () => {});
  }
}
