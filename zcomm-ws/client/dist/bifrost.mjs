// zBifrost for browsers. Made from zcomm-ws/client/src by scripts/bundle.mjs; see there for comments.
function socketAddress(url) {
  const parsed = new URL(url || '/ws', globalThis.location?.href);
  parsed.protocol = parsed.protocol.replace(/^http/, 'ws');
  parsed.hash = '';
  if (!/^wss?:$/.test(parsed.protocol)) throw new TypeError(`no address of a WebSocket: ${parsed.protocol}`);
  return parsed.href;
}

function withToken(address, token) {
  const url = new URL(address);
  url.searchParams.delete('token');
  url.search += `${url.search ? '&' : '?'}token=${encodeURIComponent(token)}`;
  return url.href;
}

function tokenProtocols(token) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  const base64url = btoa(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return ['zcomm', `token.${base64url}`];
}

const redacted = (text) =>
  text.replace(/([?&]token=)[^&\s"]*/g, '$1***').replace(/("token"\s*:\s*")(?:[^"\\]|\\.)*/g, '$1***');

const READ_OPTIONS = new Set([
  'where', 'filters', 'fields', 'order_by', 'limit', 'offset', 'after', 'cache_ttl', 'no_cache', 'big_ints',
  'signal', 'timeout',
]);

const LOCAL = new Set(['signal', 'timeout']);

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const wire = (options) => Object.fromEntries(
  Object.entries(options ?? {}).filter(([name, value]) => !LOCAL.has(name) && value !== undefined),
);

function command(action, model, members, options) {
  if (typeof model !== 'string' || !model) throw new TypeError('the model needs a name');
  return { event: 'dispatch', action, model, ...wire(members), ...wire(options) };
}

function readOptions(filter, options) {
  if (filter === undefined || filter === null) return options ?? {};
  if (options === undefined && isObject(filter)) {
    const names = Object.keys(filter);
    if (names.length && names.every((name) => READ_OPTIONS.has(name))) return filter;
  }
  return { ...options, where: filter };
}

function functionCall(call, args) {
  const bare = args.length || !/^\s*zFunc\s*\(/.test(call);
  const text = bare ? `zFunc(${[call, ...args.map((arg) => JSON.stringify(arg))].join(', ')})` : call;
  return { event: 'dispatch', zKey: 'zFunc', zHorizontal: text };
}

const pathCommand = (verb, path) => ({
  event: 'dispatch', zKey: verb, zHorizontal: path.startsWith(`${verb}(`) ? path : `${verb}(${path})`,
});

const READS = new Set([
  'ping', 'connection_info', 'get_schema', 'discover', 'introspect', 'cache_stats', 'subscribe', 'unsubscribe',
]);

const mayWait = (payload) =>
  READS.has(payload.event) || payload.action === 'read' ||
  (payload.action === 'create' && payload.idempotency_key !== undefined);

const LONGEST = 20_000;
const STABLE = 60_000;

class Backoff {
  #attempts = 0;
  #first;

  constructor(first) {
    this.#first = first > 0 ? first : 500;
  }

  lived(span) {
    if (span >= STABLE) this.#attempts = 0;
  }

  next(asked) {
    const span = Math.min(LONGEST, this.#first * 2 ** this.#attempts++);
    const floor = typeof asked === 'number' && asked > 0 ? asked : 0;
    return Math.min(LONGEST, floor + Math.random() * span);
  }
}

const mayReturn = (code, hasNewToken) =>
  code === 1001 || code === 1006 || (code >= 1011 && code <= 1013) ||
  (code >= 4000 && code <= 4499 && (code !== 4001 || hasNewToken));

class BifrostError extends Error {
  constructor(code, message, details = {}) {
    super(message);
    this.name = 'BifrostError';
    this.code = code;
    this.details = details;
  }
}

class ConnectionError extends BifrostError {
  constructor(code, message, details = {}) {
    super(code, message, details);
    this.name = 'ConnectionError';
    this.closeCode = details.closeCode;
    this.reason = details.reason;
  }
}

const asError = (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));

class Connection {
  #state = 'closed';
  info = {};
  #token;
  #shown = (undefined);
  #inQuery = (undefined);
  #socket = null;
  #wasOpen = false;
  #since = 0;
  #advice = (undefined);
  #turn = 0;
  #timer;
  #opening = null;
  #address;
  #options;
  #on;
  #backoff;

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

  get isComing() {
    return this.#state === 'connecting' || this.#state === 'waiting';
  }

  set token(token) {
    this.#token = token;
  }

  connect() {
    if (this.isOpen) return Promise.resolve(this.info);
    if (!this.#opening) {
      const opening = {};
      opening.promise = new Promise((resolve, reject) => Object.assign(opening, { resolve, reject }));
      this.#opening = opening;
      this.#watch(true);
      if (this.#state !== 'connecting') this.#dial();
    }
    return (this.#opening).promise;
  }

  close(code, reason) {
    if (this.#state !== 'closed') this.#ended({ code, reason }, 'disconnected', false);
  }

  send(text) {
    this.#socket.send(text);
  }

  advise(milliseconds) {
    this.#advice = milliseconds;
  }

  async #dial() {
    clearTimeout(this.#timer);
    this.#state = 'connecting';
    const turn = ++this.#turn;
    this.#on.connecting(this.#address);
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
    socket.onerror = () => {};
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#heard(data);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      const tryQuery = token && !opened && !inQuery && this.#inQuery === undefined;
      if (tryQuery) this.#open(token, true);
      else this.#ended(event);
    };
  }

  #heard(data) {
    let message;
    try {
      message = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data));
    } catch {
    }
    if (!isObject(message)) return this.#on.error(new BifrostError('invalid_json', 'the server sent no JSON object'));
    if (!this.isOpen) this.#ready(message);
    this.#on.message(message);
  }

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

  #ended({ code, reason }, named, wanted = true) {
    clearTimeout(this.#timer);
    const { isOpen } = this;
    const socket = this.#socket;
    this.#socket = null;
    this.#turn += 1;
    try {
      socket?.close(wanted ? undefined : code, wanted ? undefined : reason);
    } catch {
    }
    if (isOpen) this.#backoff.lived(Date.now() - this.#since);
    const hasNewToken = typeof this.#token === 'function' || this.#token !== this.#shown;
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
    const idle = globalThis.document?.hidden || globalThis.navigator?.onLine === false;
    const delay = idle ? LONGEST : this.#backoff.next(this.#advice);
    this.#advice = undefined;
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  #watch(on) {
    const act = on ? 'addEventListener' : 'removeEventListener';
    globalThis.window?.[act]?.('online', this.#nudge);
    globalThis.document?.[act]?.('visibilitychange', this.#nudge);
  }

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

function sentence(name, code, reason) {
  const why = reason ? `: ${reason}` : '';
  return `${name.replace('_', ' ')} (${code}${why})`;
}

const HOOKS = Object.freeze([
  'onConnecting', 'onConnected', 'onDisconnected', 'onMessage', 'onBroadcast', 'onDisplay', 'onInput', 'onError',
]);

class Hooks {
  #hooks = new Map();

  constructor(hooks = {}) {
    for (const [name, hook] of Object.entries(hooks)) if (hook) this.set(name, hook);
  }

  set(name, hook) {
    if (!HOOKS.includes(name)) throw new TypeError(`no hook \`${name}\`; there are: ${HOOKS.join(', ')}`);
    if (typeof hook !== 'function') throw new TypeError(`the hook \`${name}\` is not a function`);
    this.#hooks.set(name, hook);
  }

  has(name) {
    return this.#hooks.has(name);
  }

  remove(name) {
    return this.#hooks.delete(name);
  }

  names() {
    return [...this.#hooks.keys()];
  }

  call(name, ...values) {
    return this.guard(this.#hooks.get(name), values, name);
  }

  guard(hook, values, name = '') {
    try {
      const returned = hook?.(...values);
      if (returned instanceof Promise) return returned.catch((thrown) => this.#failed(thrown, name));
      return returned;
    } catch (thrown) {
      return this.#failed(thrown, name);
    }
  }

  #failed(thrown, name) {
    if (name === 'onError') console.error(thrown);
    else this.report(asError(thrown));
  }

  report(error) {
    if (this.has('onError')) this.call('onError', error);
    else console.error(error);
  }
}

const MOST = 200;

const bare = (model) => model.replace(/^@\.zSchema\./, '').toLowerCase();

class ReadCache {
  #entries = new Map();
  #generations = new Map();
  #cleared = 0;
  #hits = 0;
  #misses = 0;
  ttl = 60_000;

  recall(key) {
    const entry = this.#entries.get(key);
    if (entry && entry.until > Date.now()) {
      this.#hits += 1;
      return JSON.parse(entry.reply);
    }
    this.#entries.delete(key);
    this.#misses += 1;
    return undefined;
  }

  keeper(key, model) {
    const name = bare(model);
    const began = this.#stamp(name);
    return (reply) => {
      if (this.#stamp(name) !== began) return;
      if (this.#entries.size >= MOST) this.#entries.delete((this.#entries.keys().next().value));
      this.#entries.set(key, { model: name, reply: JSON.stringify(reply), until: Date.now() + this.ttl });
    };
  }

  forget(model) {
    if (model === undefined) {
      this.#cleared += 1;
      this.#entries.clear();
      return;
    }
    const name = bare(model);
    this.#generations.set(name, (this.#generations.get(name) ?? 0) + 1);
    for (const [key, entry] of this.#entries) if (entry.model === name) this.#entries.delete(key);
  }

  stats() {
    return { hits: this.#hits, misses: this.#misses, entries: this.#entries.size };
  }

  #stamp(name) {
    return `${this.#cleared}.${this.#generations.get(name) ?? 0}`;
  }
}

const renderer = () => import('./bifrost-render.js?v=476bcf7915ff092c');

const MOST_WAITING = 100;

const LONGEST_TIMER = 2 ** 31 - 1;

class Requests {
  #pending = new Map();
  #last = 0;
  #transmit;

  constructor(transmit) {
    this.#transmit = transmit;
  }

  ask(payload, { timeout, signal, now, onReply }) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = ++this.#last;
      const text = JSON.stringify({ ...payload, _requestId: id });
      if (!now && this.#waiting() >= MOST_WAITING) {
        return reject(new BifrostError('queue_full', `${MOST_WAITING} requests wait for the connection already`));
      }
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
          onReply?.(message);
          settle(resolve, message);
        },
      });
      if (now) this.#transmit(text);
    });
  }

  settle(message) {
    const waiting = this.#pending.get(message._requestId);
    waiting?.reply(message);
    return waiting !== undefined;
  }

  flush() {
    for (const waiting of this.#pending.values()) {
      if (waiting.sent) continue;
      waiting.sent = true;
      this.#transmit(waiting.text);
    }
  }

  fail(error, returns) {
    for (const waiting of [...this.#pending.values()]) if (waiting.sent || !returns) waiting.fail(error);
  }

  #waiting() {
    let count = 0;
    for (const waiting of this.#pending.values()) if (!waiting.sent) count += 1;
    return count;
  }
}

function refusal({ error, code, details }) {
  const known = typeof details === 'string' ? { text: details } : details;
  return new BifrostError(typeof code === 'string' ? code : 'error', String(error), known ?? {});
}

class Subscription {
  id = undefined;
  seq = undefined;
  #end;

  constructor(target, options, end) {
    this.target = target;
    this.options = options;
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

class Subscriptions {
  #all = new Set();
  #byId = new Map();
  #era = 0;
  #port;
  used = false;

  constructor(port) {
    this.#port = port;
  }

  async add(target, options) {
    this.used = true;
    const sub = new Subscription(target, options, (its) => this.remove(its));
    await this.#start(sub, options.snapshot === true);
    return sub;
  }

  async remove(which) {
    for (const sub of this.#all) {
      if (sub !== which && sub.id !== which && (sub.topic === undefined || sub.topic !== which)) continue;
      this.#all.delete(sub);
      await this.#stop(sub);
    }
  }

  async restore() {
    this.#byId.clear();
    const era = ++this.#era;
    for (const sub of this.#all) if (era === this.#era) await this.#again(sub);
  }

  covers(model) {
    for (const sub of this.#byId.values()) if (sub.model === model && sub.target.where === undefined) return true;
    return false;
  }

  take(message) {
    if (message.event === 'message') return this.#topic(message);
    if (message.subscription === undefined) return false;
    const sub = this.#byId.get(message.subscription);
    if (sub && message.event === 'resync') this.#resync(sub);
    else if (sub && message.event === 'change') this.#change(sub, message);
    return message.event === 'resync' || message.event === 'change';
  }

  #topic(message) {
    let taken = false;
    for (const sub of this.#all) {
      if (sub.topic === undefined || sub.topic !== message.topic) continue;
      taken = true;
      this.#port.guard(sub.options.onMessage, [message.data, message]);
    }
    return taken;
  }

  #change(sub, message) {
    const { seq } = message;
    if (typeof seq === 'number' && sub.seq !== undefined) {
      if (seq <= sub.seq) return;
      if (seq > sub.seq + 1) return this.#resync(sub);
    }
    sub.seq = seq;
    this.#port.guard(sub.options.onChange, [message, sub]);
  }

  #resync(sub) {
    this.#byId.delete(sub.id);
    this.#stop(sub);
    this.#again(sub);
  }

  #again(sub) {
    return this.#start(sub, sub.model !== undefined).catch((error) => {
      if (error.name !== 'ConnectionError') this.#port.report(asError(error));
    });
  }

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

  #stop(sub) {
    this.#byId.delete(sub.id);
    return this.#port.ask({ event: 'unsubscribe', ...sub.target, subscription: sub.id }).then(() => {}, () => {});
  }
}

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

const PROBE = 5_000;

const origins = new WeakMap();

class BifrostClient {
  #connection;
  #requests;
  #subscriptions;
  #hooks;
  #cache = new ReadCache();
  #listeners = new Set();
  #returns = new Set();

  constructor(url, token, options) {
    const given = isObject(token) ? token : { ...options, ...(token ? { token } : {}) };
    const unknown = Object.keys(given).filter((name) => !Object.hasOwn(DEFAULTS, name));
    if (unknown.length) console.warn(`[bifrost] no option ${unknown}; there are: ${Object.keys(DEFAULTS).join(', ')}`);
    const { token: shown, hooks, ...rest } = { ...DEFAULTS, ...given };
    const WebSocket = rest.WebSocket ?? globalThis.WebSocket;
    if (!WebSocket) throw new TypeError('no WebSocket here: give one as the option `WebSocket`');
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

  connect() {
    return this.#connection.connect();
  }

  disconnect() {
    this.#connection.close(1000, 'disconnect');
  }

  isConnected() {
    return this.#connection.isOpen;
  }

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

  create(model, values, options) {
    return this.#write(command('create', model, { data: values }, options), options);
  }

  async read(model, filter, options) {
    const asked = readOptions(filter, options);
    const payload = command('read', model, {}, asked);
    const reply = await this.#read(payload, asked);
    return withOrigin(reply, payload);
  }

  update(model, filter, values, options) {
    return this.#write(command('update', model, { where: filter, data: values }, options), options);
  }

  delete(model, filter, options) {
    return this.#write(command('delete', model, { where: filter }, options), options);
  }

  upsert(model, values, conflictFields, options) {
    return this.#write(command('upsert', model, { data: values, conflict_fields: conflictFields }, options), options);
  }

  zFunc(call, ...args) {
    return this.send(functionCall(call, args));
  }

  zLink(path) {
    return this.send(pathCommand('zLink', path));
  }

  zOpen(path) {
    return this.send(pathCommand('zOpen', path));
  }

  async send(payload, how = {}) {
    const reply = await this.#ask(payload, typeof how === 'number' ? { timeout: how } : how);
    if (!mayWait(payload)) this.#cache.forget(undefined);
    return value(reply);
  }

  sendInputResponse(requestId, answer) {
    if (!this.isConnected()) throw away();
    this.#transmit(JSON.stringify({ event: 'input_response', requestId, value: answer }));
  }

  subscribe(model, where, options = {}) {
    return this.#subscriptions.add({ model, ...(where != null && { where }) }, options);
  }

  unsubscribe(subscription) {
    return this.#subscriptions.remove(subscription);
  }

  join(topic, onMessage) {
    return this.#subscriptions.add({ topic }, { onMessage });
  }

  publish(topic, data) {
    return this.send({ event: 'publish', topic, data });
  }

  onBroadcast(listener) {
    this.#listeners.add(listener);
  }

  removeBroadcastListener(listener) {
    this.#listeners.delete(listener);
  }

  onReconnect(listener) {
    this.#returns.add(listener);
    return () => void this.#returns.delete(listener);
  }

  registerHook(name, hook) {
    this.#hooks.set(name, hook);
  }

  unregisterHook(name) {
    return this.#hooks.remove(name);
  }

  listHooks() {
    return this.#hooks.names();
  }

  async discover() {
    return whole(await this.#ask({ event: 'discover' }));
  }

  async introspect(model) {
    return whole(await this.#ask({ event: 'introspect', model }));
  }

  getSchema(model) {
    return this.send({ event: 'get_schema', model });
  }

  async cacheStats() {
    return { ...(await this.send({ event: 'cache_stats' })), client: this.#cache.stats() };
  }

  async clearCache(scope) {
    this.#cache.forget(undefined);
    return whole(await this.#ask({ event: 'clear_cache', ...(scope && { scope }) }));
  }

  async setCacheTTL(seconds, scope) {
    const reply = await this.#ask({ event: 'set_cache_ttl', ttl: seconds, ...(scope && { scope }) });
    this.#cache.ttl = seconds * 1000;
    this.#cache.forget(undefined);
    return value(reply);
  }

  async renderTable(rows, container, options) {
    const origin = isObject(rows) || Array.isArray(rows) ? origins.get(rows) : undefined;
    return (await this.#renderer()).renderTable(this, rows, container, { origin, ...options });
  }

  async renderMenu(items, container, onSelect) {
    return (await this.#renderer()).renderMenu(items, container, onSelect);
  }

  async renderForm(schema, container, options) {
    return (await this.#renderer()).renderForm(this, schema, container, options);
  }

  async renderMessage(message, container, options) {
    return (await this.#renderer()).renderMessage(message, container, options);
  }

  async loadTheme(theme) {
    return (await renderer()).loadTheme(theme);
  }

  async #renderer() {
    const drawing = await renderer();
    const { autoTheme } = this.options;
    if (autoTheme) drawing.loadTheme(autoTheme === true ? undefined : autoTheme);
    return drawing;
  }

  #ask(payload, { timeout, signal } = {}, onReply) {
    const now = this.isConnected();
    if (!now && !(this.#connection.isComing && mayWait(payload))) return Promise.reject(away());
    return this.#requests.ask(payload, { timeout: timeout || this.options.timeout, signal, now, onReply });
  }

  async #write(payload, how) {
    this.#cache.forget(payload.model);
    try {
      return value(await this.#ask(payload, how));
    } finally {
      this.#cache.forget(payload.model);
    }
  }

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

  #remembers(payload) {
    if (!this.options.cache || payload.no_cache || !this.isConnected()) return false;
    const told = this.#connection.info.features?.includes?.('legacy_broadcast') && !this.#subscriptions.used;
    return told || this.#subscriptions.covers(payload.model);
  }

  #transmit(text) {
    this.#debug('sent', text);
    this.#connection.send(text);
  }

  #ready(info, again) {
    if (again) this.#subscriptions.restore();
    this.#requests.flush();
    this.#hooks.call('onConnected', info);
    if (again) for (const listener of [...this.#returns]) this.#hooks.guard(listener, [info]);
  }

  #closed({ wasOpen, ...ending }, error) {
    this.#debug('closed', ending);
    this.#cache.forget(undefined);
    this.#requests.fail(error, ending.willReconnect);
    if (wasOpen) this.#hooks.call('onDisconnected', ending);
  }

  #heard(message) {
    this.#debug('received', message);
    this.#hooks.call('onMessage', message);
    if ('_requestId' in message) this.#requests.settle(message);
    else if (message.error !== undefined) this.#hooks.report(refusal(message));
    else if (message.result === undefined) this.#unasked(message);
  }

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

  async #display(data) {
    if (this.#hooks.has('onDisplay')) return this.#hooks.call('onDisplay', data);
    if (globalThis.document) this.#draw((drawing) => drawing.showDisplay(this, data));
  }

  async #input(request) {
    let answer;
    if (this.#hooks.has('onInput')) answer = await this.#hooks.call('onInput', request);
    else if (globalThis.document) answer = await this.#draw((drawing) => drawing.askInput(request));
    if (answer !== undefined && this.isConnected()) this.sendInputResponse(request.requestId, answer);
  }

  async #draw(act) {
    try {
      return await act(await this.#renderer());
    } catch (thrown) {
      return this.#hooks.report(asError(thrown));
    }
  }

  #debug(what, data) {
    if (!this.options.debug) return;
    console.debug(`[bifrost] ${what}`, redacted(typeof data === 'string' ? data : JSON.stringify(data)));
  }
}

const zBifrost = BifrostClient;

async function createClient(url, token, options) {
  const client = new BifrostClient(url, token, options);
  await client.connect();
  return client;
}

const away = () => new ConnectionError('not_connected', 'not connected: call `connect()` first');

const value = (reply) => {
  if ('result' in reply) return reply.result;
  return 'data' in reply ? reply.data : reply;
};

const whole = ({ _requestId, ...reply }) => reply;

function withOrigin(reply, payload) {
  const rows = value(reply);
  if (!Array.isArray(rows)) return rows;
  const told = { more: reply._more === true, next: reply._next, cached: reply._cached === true };
  for (const [name, value] of Object.entries(told)) Object.defineProperty(rows, name, { value });
  const { event, action, ...query } = payload;
  origins.set(rows, wire(query));
  return rows;
}

export { BifrostClient, zBifrost, createClient, BifrostError, ConnectionError };
