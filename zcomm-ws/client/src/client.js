// The client: one object with every call of the protocol. Its parts do the work.

import { redacted } from './address.js';
import { command, functionCall, isObject, mayWait, pathCommand, readOptions, wire } from './commands.js';
import { Connection } from './connection.js';
import { ConnectionError, asError } from './errors.js';
import { Hooks } from './hooks.js';
import { ReadCache } from './read_cache.js';
import { renderer } from './renderer.js';
import { Requests, refusal } from './requests.js';
import { Subscriptions } from './subscriptions.js';

const DEFAULTS = {
  token: undefined,
  autoReconnect: true,
  reconnectDelay: 500,
  timeout: 30_000,
  debug: false,
  hooks: {},
  autoTheme: true,
  cache: false,
  WebSocket: undefined,
};

/** How long a line that may be dead is given to answer. */
const PROBE = 5_000;

/** Where rows came from, so that a table of them can sort, page and stay live. @type {WeakMap<object, any>} */
const origins = new WeakMap();

/** A connection to a zBifrost server, and everything that can be asked of it. */
export class BifrostClient {
  #connection;
  #requests;
  #subscriptions;
  #hooks;
  #cache = new ReadCache();
  /** @type {Set<Function>} */
  #listeners = new Set();
  /** @type {Set<Function>} */
  #returns = new Set();

  /**
   * @param {string | URL | null} [url]
   * @param {any} [token] the token, or the options
   * @param {any} [options]
   */
  constructor(url, token, options) {
    const given = isObject(token) ? token : { ...options, ...(token ? { token } : {}) };
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(DEFAULTS, name));
    if (unknown.length) console.warn(`[bifrost] no option ${unknown}; there are: ${Object.keys(DEFAULTS).join(', ')}`);
    const { token: shown, hooks, ...rest } = { ...DEFAULTS, ...given };
    const WebSocket = rest.WebSocket ?? globalThis.WebSocket;
    if (!WebSocket) throw new TypeError('no WebSocket here: give one as the option `WebSocket`');
    /** The options in force; the token is kept apart, where nothing prints it. */
    this.options = { ...rest, WebSocket };
    this.#hooks = new Hooks(hooks ?? {});
    this.#requests = new Requests((text) => this.#transmit(text));
    this.#subscriptions = new Subscriptions({
      ask: (payload, onReply) => this.#ask(payload, {}, onReply),
      guard: (hook, values) => this.#hooks.guard(hook, values),
      report: (error) => this.#hooks.report(error),
    });
    this.#connection = new Connection(url, { ...this.options, token: shown }, {
      connecting: (address) => {
        this.#debug('connecting', address);
        this.#hooks.call('onConnecting', redacted(address));
      },
      ready: (info, again) => this.#ready(info, again),
      message: (message) => this.#heard(message),
      closed: (ending, error) => this.#closed(ending, error),
      error: (error) => this.#hooks.report(error),
      probe: () => this.send({ event: 'ping' }, PROBE),
    });
  }

  // The connection.

  /** Resolves with what the server says of itself, once it has spoken. */
  connect() {
    return this.#connection.connect();
  }

  disconnect() {
    this.#connection.close(1000, 'disconnect');
  }

  isConnected() {
    return this.#connection.isOpen;
  }

  /**
   * Shows another token, on the connection that is there or on a new one.
   *
   * @param {string} token
   */
  async authenticate(token) {
    if (!this.isConnected()) {
      this.#connection.token = token;
      return (await this.connect()).auth;
    }
    const reply = await this.#ask({ event: 'auth', token });
    this.#connection.token = token;
    this.#cache.forget(undefined);
    const auth = value(reply);
    if (isObject(auth)) this.#connection.info.auth = auth;
    return auth;
  }

  connectionInfo() {
    return this.send({ event: 'connection_info' });
  }

  ping() {
    return this.send({ event: 'ping' });
  }

  // Rows.

  /** @type {(model: string, values: any, options?: any) => Promise<any>} */
  create(model, values, options) {
    return this.#write(command('create', model, { data: values }, options), options);
  }

  /** @type {(model: string, filter?: any, options?: any) => Promise<any>} */
  async read(model, filter, options) {
    const asked = readOptions(filter, options);
    const payload = command('read', model, {}, asked);
    const reply = await this.#read(payload, asked);
    return withOrigin(reply, payload);
  }

  /** @type {(model: string, filter: any, values: any, options?: any) => Promise<any>} */
  update(model, filter, values, options) {
    return this.#write(command('update', model, { where: filter, data: values }, options), options);
  }

  /** @type {(model: string, filter: any, options?: any) => Promise<any>} */
  delete(model, filter, options) {
    return this.#write(command('delete', model, { where: filter }, options), options);
  }

  /** @type {(model: string, values: any, conflictFields?: string[], options?: any) => Promise<any>} */
  upsert(model, values, conflictFields, options) {
    return this.#write(command('upsert', model, { data: values, conflict_fields: conflictFields }, options), options);
  }

  // Commands and messages.

  /** @type {(call: string, ...args: any[]) => Promise<any>} */
  zFunc(call, ...args) {
    return this.send(functionCall(call, args));
  }

  /** @param {string} path */
  zLink(path) {
    return this.send(pathCommand('zLink', path));
  }

  /** @param {string} path */
  zOpen(path) {
    return this.send(pathCommand('zOpen', path));
  }

  /**
   * Sends any message. Resolves to its `result`, rejects with the `code` and `details` of its error.
   *
   * @param {Record<string, any>} payload
   * @param {number | {timeout?: number, signal?: AbortSignal}} [how] milliseconds, or a deadline and a signal
   * @returns {Promise<any>}
   */
  async send(payload, how = {}) {
    const reply = await this.#ask(payload, typeof how === 'number' ? { timeout: how } : how);
    // What a command of the application wrote, nobody knows here.
    if (!mayWait(payload)) this.#cache.forget(undefined);
    return value(reply);
  }

  /**
   * @param {string} requestId
   * @param {any} answer
   */
  sendInputResponse(requestId, answer) {
    if (!this.isConnected()) throw away();
    this.#transmit(JSON.stringify({ event: 'input_response', requestId, value: answer }));
  }

  // What comes unasked.

  /** @type {(model: string, where?: any, options?: any) => Promise<any>} */
  subscribe(model, where, options = {}) {
    return this.#subscriptions.add({ model, ...(where != null && { where }) }, options);
  }

  /** @param {any} subscription a subscription, its id, or a topic */
  unsubscribe(subscription) {
    return this.#subscriptions.remove(subscription);
  }

  /** @type {(topic: string, onMessage?: Function) => Promise<any>} */
  join(topic, onMessage) {
    return this.#subscriptions.add({ topic }, { onMessage });
  }

  /** @type {(topic: string, data: any) => Promise<any>} */
  publish(topic, data) {
    return this.send({ event: 'publish', topic, data });
  }

  /** @param {Function} listener */
  onBroadcast(listener) {
    this.#listeners.add(listener);
  }

  /** @param {Function} listener */
  removeBroadcastListener(listener) {
    this.#listeners.delete(listener);
  }

  /**
   * Calls a function whenever the connection is back: whatever was missed has to be read again.
   *
   * @param {Function} listener
   * @returns {() => void} stops it
   */
  onReconnect(listener) {
    this.#returns.add(listener);
    return () => void this.#returns.delete(listener);
  }

  /** @type {(name: string, hook: Function) => void} */
  registerHook(name, hook) {
    this.#hooks.set(name, hook);
  }

  /** @param {string} name */
  unregisterHook(name) {
    return this.#hooks.remove(name);
  }

  listHooks() {
    return this.#hooks.names();
  }

  // Models and caches.

  async discover() {
    return whole(await this.#ask({ event: 'discover' }));
  }

  /** @param {string} [model] */
  async introspect(model) {
    return whole(await this.#ask({ event: 'introspect', model }));
  }

  /** @param {string} model */
  getSchema(model) {
    return this.send({ event: 'get_schema', model });
  }

  /** The server's counts for this caller, and under `client` those of the memory here. */
  async cacheStats() {
    return { ...(await this.send({ event: 'cache_stats' })), client: this.#cache.stats() };
  }

  /** @param {'all'} [scope] */
  async clearCache(scope) {
    this.#cache.forget(undefined);
    return whole(await this.#ask({ event: 'clear_cache', ...(scope && { scope }) }));
  }

  /** @type {(seconds: number, scope?: 'all') => Promise<any>} */
  async setCacheTTL(seconds, scope) {
    const reply = await this.#ask({ event: 'set_cache_ttl', ttl: seconds, ...(scope && { scope }) });
    this.#cache.ttl = seconds * 1000;
    this.#cache.forget(undefined);
    return value(reply);
  }

  // Drawing: a second file, loaded by the first of these.

  /** @type {(rows: any, container: any, options?: any) => Promise<any>} */
  async renderTable(rows, container, options) {
    const origin = isObject(rows) || Array.isArray(rows) ? origins.get(rows) : undefined;
    return (await this.#renderer()).renderTable(this, rows, container, { origin, ...options });
  }

  /** @type {(items: any, container: any, onSelect?: any) => Promise<any>} */
  async renderMenu(items, container, onSelect) {
    return (await this.#renderer()).renderMenu(items, container, onSelect);
  }

  /** @type {(schema: any, container: any, options?: any) => Promise<any>} */
  async renderForm(schema, container, options) {
    return (await this.#renderer()).renderForm(this, schema, container, options);
  }

  /** @type {(message: any, container?: any, options?: any) => Promise<any>} */
  async renderMessage(message, container, options) {
    return (await this.#renderer()).renderMessage(message, container, options);
  }

  /** @param {string} [theme] `auto`, `light`, `dark`, or the address of a style sheet */
  async loadTheme(theme) {
    return (await renderer()).loadTheme(theme);
  }

  // From here on: how the parts work together.

  async #renderer() {
    const drawing = await renderer();
    const { autoTheme } = this.options;
    // Not waited for: what is drawn is of use before it is beautiful.
    if (autoTheme) drawing.loadTheme(autoTheme === true ? undefined : autoTheme);
    return drawing;
  }

  /**
   * @param {Record<string, any>} payload
   * @param {{timeout?: number, signal?: AbortSignal}} [how]
   * @param {(message: any) => void} [onReply]
   * @returns {Promise<any>}
   */
  #ask(payload, { timeout, signal } = {}, onReply) {
    const now = this.isConnected();
    if (!now && !(this.#connection.isComing && mayWait(payload))) return Promise.reject(away());
    return this.#requests.ask(payload, { timeout: timeout || this.options.timeout, signal, now, onReply });
  }

  /**
   * @param {Record<string, any>} payload
   * @param {any} how
   */
  async #write(payload, how) {
    // Before and after: a read between the two may have seen either.
    this.#cache.forget(payload.model);
    try {
      return value(await this.#ask(payload, how));
    } finally {
      this.#cache.forget(payload.model);
    }
  }

  /**
   * @param {Record<string, any>} payload
   * @param {any} how
   */
  async #read(payload, how) {
    if (!this.#remembers(payload)) return this.#ask(payload, how);
    const key = JSON.stringify(payload);
    const known = this.#cache.recall(key);
    if (known) return { ...known, _cached: true };
    const keep = this.#cache.keeper(key, payload.model);
    const reply = await this.#ask(payload, how);
    keep(reply);
    return reply;
  }

  /** Whether this connection is told when the answer changes. @param {Record<string, any>} payload */
  #remembers(payload) {
    if (!this.options.cache || payload.no_cache || !this.isConnected()) return false;
    const told = this.#connection.info.features?.includes?.('legacy_broadcast') && !this.#subscriptions.used;
    return told || this.#subscriptions.covers(payload.model);
  }

  /** @param {string} text */
  #transmit(text) {
    this.#debug('sent', text);
    this.#connection.send(text);
  }

  /** @type {(info: any, again: boolean) => void} */
  #ready(info, again) {
    if (again) this.#subscriptions.restore();
    this.#requests.flush();
    this.#hooks.call('onConnected', info);
    if (again) for (const listener of [...this.#returns]) this.#hooks.guard(listener, [info]);
  }

  /** @type {(ending: any, error: Error) => void} */
  #closed({ wasOpen, ...ending }, error) {
    this.#debug('closed', ending);
    this.#cache.forget(undefined);
    this.#requests.fail(error, ending.willReconnect);
    if (wasOpen) this.#hooks.call('onDisconnected', ending);
  }

  /** @param {Record<string, any>} message */
  #heard(message) {
    this.#debug('received', message);
    this.#hooks.call('onMessage', message);
    if ('_requestId' in message) this.#requests.settle(message);
    else if (message.error !== undefined) this.#hooks.report(refusal(message));
    else if (message.result === undefined) this.#unasked(message);
  }

  /** @param {Record<string, any>} message */
  #unasked(message) {
    const { event, data } = message;
    if (event === 'connection_info') return;
    if (event === 'server_shutdown') this.#connection.advise(message.retry_after_ms);
    else if (event === 'display') return void this.#display(data);
    else if (event === 'input_request') return void this.#input(message);
    if (event === 'change' || event === 'resync') this.#cache.forget(message.model);
    if (this.#subscriptions.take(message)) return;
    this.#hooks.call('onBroadcast', message);
    for (const listener of [...this.#listeners]) this.#hooks.guard(listener, [message]);
  }

  /** @param {any} data */
  async #display(data) {
    if (this.#hooks.has('onDisplay')) return this.#hooks.call('onDisplay', data);
    if (globalThis.document) this.#draw((drawing) => drawing.showDisplay(this, data));
  }

  /** @param {any} request */
  async #input(request) {
    let answer;
    if (this.#hooks.has('onInput')) answer = await this.#hooks.call('onInput', request);
    else if (globalThis.document) answer = await this.#draw((drawing) => drawing.askInput(request));
    // A hook that returns nothing answers later, by `sendInputResponse`.
    if (answer !== undefined && this.isConnected()) this.sendInputResponse(request.requestId, answer);
  }

  /** @param {(drawing: any) => any} act */
  async #draw(act) {
    try {
      return await act(await this.#renderer());
    } catch (thrown) {
      return this.#hooks.report(asError(thrown));
    }
  }

  /** @type {(what: string, data: any) => void} */
  #debug(what, data) {
    if (!this.options.debug) return;
    console.debug(`[bifrost] ${what}`, redacted(typeof data === 'string' ? data : JSON.stringify(data)));
  }
}

/** The second historic name of the client. */
export const zBifrost = BifrostClient;

/**
 * A client that is connected.
 *
 * @param {string | URL | null} [url]
 * @param {any} [token]
 * @param {any} [options]
 */
export async function createClient(url, token, options) {
  const client = new BifrostClient(url, token, options);
  await client.connect();
  return client;
}

const away = () => new ConnectionError('not_connected', 'not connected: call `connect()` first');

/** The answer in a reply. @param {any} reply */
const value = (reply) => {
  if ('result' in reply) return reply.result;
  return 'data' in reply ? reply.data : reply;
};

/** A reply that says more than its result. @param {any} reply */
const whole = ({ _requestId, ...reply }) => reply;

/**
 * Rows with what was said about them, out of the way of whoever goes through them.
 *
 * @param {any} reply
 * @param {Record<string, any>} payload
 */
function withOrigin(reply, payload) {
  const rows = value(reply);
  if (!Array.isArray(rows)) return rows;
  const told = { more: reply._more === true, next: reply._next, cached: reply._cached === true };
  for (const [name, value] of Object.entries(told)) Object.defineProperty(rows, name, { value });
  const { event, action, ...query } = payload;
  origins.set(rows, wire(query));
  return rows;
}
