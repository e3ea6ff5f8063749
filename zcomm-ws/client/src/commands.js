// What the calls of the client mean as messages. Sends nothing.

/** What a read may be given besides its filter. An object of these alone is options, else it is a filter. */
const READ_OPTIONS = new Set([
  'where', 'filters', 'fields', 'order_by', 'limit', 'offset', 'after', 'cache_ttl', 'no_cache', 'big_ints',
  'signal', 'timeout',
]);

/** What concerns the waiting and stays here. */
const LOCAL = new Set(['signal', 'timeout']);

/** @typedef {Record<string, any>} Payload */

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Options that go into the message.
 *
 * @param {Payload | undefined} options
 * @returns {Payload}
 */
export const wire = (options) => Object.fromEntries(
  Object.entries(options ?? {}).filter(([name, value]) => !LOCAL.has(name) && value !== undefined),
);

/**
 * A command on rows.
 *
 * @param {string} action
 * @param {string} model
 * @param {Payload} members
 * @param {Payload} [options]
 * @returns {Payload}
 */
export function command(action, model, members, options) {
  if (typeof model !== 'string' || !model) throw new TypeError('the model needs a name');
  return { event: 'dispatch', action, model, ...wire(members), ...wire(options) };
}

/**
 * The two historic forms of a read: `(model, filter, options)` and `(model, {where, limit, …})`.
 *
 * @param {unknown} filter
 * @param {Payload} [options]
 * @returns {Payload} one object of options
 */
export function readOptions(filter, options) {
  if (filter === undefined || filter === null) return options ?? {};
  if (options === undefined && isObject(filter)) {
    const names = Object.keys(filter);
    if (names.length && names.every((name) => READ_OPTIONS.has(name))) return filter;
  }
  return { ...options, where: filter };
}

/**
 * A call of a registered function: `zFunc(name, args)` whole, or name and arguments apart.
 *
 * @param {string} call
 * @param {unknown[]} args
 * @returns {Payload}
 */
export function functionCall(call, args) {
  const bare = args.length || !/^\s*zFunc\s*\(/.test(call);
  const text = bare ? `zFunc(${[call, ...args.map((arg) => JSON.stringify(arg))].join(', ')})` : call;
  return { event: 'dispatch', zKey: 'zFunc', zHorizontal: text };
}

/**
 * `zLink(path)` and `zOpen(path)`, from the bare argument or the whole command.
 *
 * @param {'zLink' | 'zOpen'} verb
 * @param {string} path
 * @returns {Payload}
 */
export const pathCommand = (verb, path) => ({
  event: 'dispatch', zKey: verb, zHorizontal: path.startsWith(`${verb}(`) ? path : `${verb}(${path})`,
});

const READS = new Set([
  'ping', 'connection_info', 'get_schema', 'discover', 'introspect', 'cache_stats', 'subscribe', 'unsubscribe',
]);

/**
 * Whether a message may wait for the connection to return: asked twice it does no harm.
 *
 * @param {Payload} payload
 */
export const mayWait = (payload) =>
  READS.has(payload.event) || payload.action === 'read' ||
  (payload.action === 'create' && payload.idempotency_key !== undefined);
