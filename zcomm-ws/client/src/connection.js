// One connection and its returns: dials, hears, loses, comes back. Knows nothing of what the messages mean.

import { socketAddress, tokenProtocols, withToken } from './address.js';
import { Backoff, LONGEST, mayReturn } from './backoff.js';
import { BifrostError, ConnectionError, asError } from './errors.js';
import { isObject } from './commands.js';

/**
 * @typedef {object} Listener
 * @property {(address: string) => void} connecting
 * @property {(info: Record<string, any>, again: boolean) => void} ready the server spoke for the first time
 * @property {(message: Record<string, any>) => void} message
 * @property {(ending: {code: number, reason: string, wasOpen: boolean, willReconnect: boolean}, error: ConnectionError) => void} closed
 * @property {(error: Error) => void} error
 * @property {() => Promise<unknown>} probe asks whether anybody is there
 */

/** @typedef {string | null | undefined | (() => string | null | Promise<string | null>)} Token */

/** A socket that counts as connected only after the first message: a refusal comes after `open`. */
export class Connection {
  /** @type {'closed' | 'connecting' | 'open' | 'waiting'} */
  #state = 'closed';
  /** @type {Record<string, any>} */
  info = {};
  /** @type {Token} */
  #token;
  /** The token of the last dialling, and whether the server wants it in the query; unknown at first. */
  #shown = /** @type {string | null | undefined} */ (undefined);
  #inQuery = /** @type {boolean | undefined} */ (undefined);
  /** @type {any} */
  #socket = null;
  #wasOpen = false;
  #since = 0;
  #advice = /** @type {unknown} */ (undefined);
  /** Counts diallings, so that one that was overtaken notices. */
  #turn = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{promise: Promise<any>, resolve: (info: any) => void, reject: (error: Error) => void} | null} */
  #opening = null;
  #address;
  #options;
  #on;
  #backoff;

  /**
   * @param {string | URL | null | undefined} url
   * @param {{token?: Token, WebSocket: any, autoReconnect: boolean, reconnectDelay: number, timeout: number}} options
   * @param {Listener} on
   */
  constructor(url, options, on) {
    this.#address = socketAddress(url);
    this.#options = options;
    this.#token = options.token;
    this.#on = on;
    this.#backoff = new Backoff(options.reconnectDelay);
  }

  get isOpen() {
    return this.#state === 'open';
  }

  /** Whether it is on its way: what can wait, may. */
  get isComing() {
    return this.#state === 'connecting' || this.#state === 'waiting';
  }

  /** @param {Token} token the one to show from now on */
  set token(token) {
    this.#token = token;
  }

  /** @returns {Promise<Record<string, any>>} what the server said of itself; for calls at once the same promise */
  connect() {
    if (this.isOpen) return Promise.resolve(this.info);
    if (!this.#opening) {
      /** @type {any} */
      const opening = {};
      opening.promise = new Promise((resolve, reject) => Object.assign(opening, { resolve, reject }));
      this.#opening = opening;
      this.#watch(true);
      if (this.#state !== 'connecting') this.#dial();
    }
    return /** @type {any} */ (this.#opening).promise;
  }

  /**
   * Ends it for good.
   *
   * @param {number} code
   * @param {string} reason
   */
  close(code, reason) {
    if (this.#state !== 'closed') this.#ended({ code, reason }, 'disconnected', false);
  }

  /** @param {string} text */
  send(text) {
    this.#socket.send(text);
  }

  /** @param {unknown} milliseconds how long the server asks to stay away after the next end */
  advise(milliseconds) {
    this.#advice = milliseconds;
  }

  async #dial() {
    clearTimeout(this.#timer);
    this.#state = 'connecting';
    const turn = ++this.#turn;
    this.#on.connecting(this.#address);
    // The deadline holds for everything up to the first message, the token's origin included.
    const late = () => this.#ended({ code: 1006, reason: 'no answer in time' });
    this.#timer = setTimeout(late, this.#options.timeout);
    try {
      const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
      if (turn !== this.#turn) return;
      this.#shown = token;
      this.#open(token, this.#inQuery === true);
    } catch (thrown) {
      if (turn === this.#turn) this.#ended({ code: 1006, reason: asError(thrown).message });
    }
  }

  /**
   * @param {string | null | undefined} token
   * @param {boolean} inQuery
   */
  #open(token, inQuery) {
    const { WebSocket } = this.#options;
    const socket = token
      ? inQuery ? new WebSocket(withToken(this.#address, token)) : new WebSocket(this.#address, tokenProtocols(token))
      : new WebSocket(this.#address);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (token) this.#inQuery = inQuery;
    };
    // What is wrong stands in the close event, which always follows.
    socket.onerror = () => {};
    socket.onmessage = (/** @type {{data: any}} */ { data }) => {
      if (socket === this.#socket) this.#heard(data);
    };
    socket.onclose = (/** @type {{code: number, reason: string}} */ event) => {
      if (socket !== this.#socket) return;
      // A browser fails a connection whose subprotocols nobody answers: such a server reads the query.
      const tryQuery = token && !opened && !inQuery && this.#inQuery === undefined;
      if (tryQuery) this.#open(token, true);
      else this.#ended(event);
    };
  }

  /** @param {string | ArrayBuffer} data */
  #heard(data) {
    let message;
    try {
      message = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data));
    } catch {
      // Told below, as everything else that is no object.
    }
    if (!isObject(message)) return this.#on.error(new BifrostError('invalid_json', 'the server sent no JSON object'));
    if (!this.isOpen) this.#ready(message);
    this.#on.message(message);
  }

  /** @param {Record<string, any>} message */
  #ready(message) {
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.#since = Date.now();
    this.info = message.event === 'connection_info' && isObject(message.data) ? message.data : {};
    const again = this.#wasOpen;
    this.#wasOpen = true;
    this.#on.ready(this.info, again);
    this.#opening?.resolve(this.info);
    this.#opening = null;
  }

  /**
   * @param {{code: number, reason: string}} event
   * @param {string} [named] the error's code
   * @param {boolean} [wanted] whether it may come back
   */
  #ended({ code, reason }, named, wanted = true) {
    clearTimeout(this.#timer);
    const { isOpen } = this;
    const socket = this.#socket;
    this.#socket = null;
    this.#turn += 1;
    try {
      socket?.close(wanted ? undefined : code, wanted ? undefined : reason);
    } catch {
      // It was closed already, or is nothing that could be.
    }
    if (isOpen) this.#backoff.lived(Date.now() - this.#since);
    const hasNewToken = typeof this.#token === 'function' || this.#token !== this.#shown;
    // One that never came about is the caller's to try again: it may be the address that is wrong.
    const willReconnect = wanted && this.#wasOpen && this.#options.autoReconnect && mayReturn(code, hasNewToken);
    this.#state = willReconnect ? 'waiting' : 'closed';
    if (willReconnect) this.#wait();
    else {
      this.#wasOpen = false;
      this.#watch(false);
    }
    const name = named ?? (isOpen ? 'connection_lost' : code === 1006 ? 'connection_failed' : 'refused');
    const error = new ConnectionError(name, sentence(name, code, reason), { closeCode: code, reason });
    const opening = this.#opening;
    this.#opening = null;
    this.#on.closed({ code, reason, wasOpen: isOpen, willReconnect }, error);
    opening?.reject(error);
  }

  #wait() {
    // Nobody looks at a hidden tab, and without a network there is nothing to reach: both stay out of the rush, and
    // come at once when that changes.
    const idle = globalThis.document?.hidden || globalThis.navigator?.onLine === false;
    const delay = idle ? LONGEST : this.#backoff.next(this.#advice);
    this.#advice = undefined;
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  /** @param {boolean} on */
  #watch(on) {
    const act = on ? 'addEventListener' : 'removeEventListener';
    globalThis.window?.[act]?.('online', this.#nudge);
    globalThis.document?.[act]?.('visibilitychange', this.#nudge);
  }

  /** The network is back, or somebody looks again: no time to wait, and perhaps the line died meanwhile. */
  #nudge = () => {
    if (globalThis.document?.hidden) return;
    if (this.#state === 'waiting') this.#dial();
    else if (this.isOpen) {
      const socket = this.#socket;
      this.#on.probe().catch(() => {
        if (socket === this.#socket) this.#ended({ code: 1006, reason: 'no answer' });
      });
    }
  };
}

/**
 * @param {string} name
 * @param {number} code
 * @param {string} reason
 */
function sentence(name, code, reason) {
  const why = reason ? `: ${reason}` : '';
  return `${name.replace('_', ' ')} (${code}${why})`;
}
