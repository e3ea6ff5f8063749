// The functions that an application hangs into the client. A hook that throws is reported and breaks nothing.

import { asError } from './errors.js';

/** Every hook there is. */
export const HOOKS = Object.freeze([
  'onConnecting', 'onConnected', 'onDisconnected', 'onMessage', 'onBroadcast', 'onDisplay', 'onInput', 'onError',
]);

/** One function per hook. */
export class Hooks {
  /** @type {Map<string, Function>} */
  #hooks = new Map();

  /** @param {Record<string, Function | undefined | null>} [hooks] */
  constructor(hooks = {}) {
    for (const [name, hook] of Object.entries(hooks)) if (hook) this.set(name, hook);
  }

  /**
   * @param {string} name
   * @param {Function} hook
   */
  set(name, hook) {
    if (!HOOKS.includes(name)) throw new TypeError(`no hook \`${name}\`; there are: ${HOOKS.join(', ')}`);
    if (typeof hook !== 'function') throw new TypeError(`the hook \`${name}\` is not a function`);
    this.#hooks.set(name, hook);
  }

  /** @param {string} name */
  has(name) {
    return this.#hooks.has(name);
  }

  /** @param {string} name */
  remove(name) {
    return this.#hooks.delete(name);
  }

  names() {
    return [...this.#hooks.keys()];
  }

  /**
   * Calls a hook, if there is one. What it returns comes back; what it throws goes to `onError`.
   *
   * @param {string} name
   * @param {unknown[]} values
   * @returns {unknown}
   */
  call(name, ...values) {
    return this.guard(this.#hooks.get(name), values, name);
  }

  /**
   * Calls any function of the application.
   *
   * @param {Function | undefined} hook
   * @param {unknown[]} values
   * @param {string} [name]
   * @returns {unknown}
   */
  guard(hook, values, name = '') {
    try {
      const returned = hook?.(...values);
      // An async hook fails later; nobody else would look at it.
      if (returned instanceof Promise) return returned.catch((thrown) => this.#failed(thrown, name));
      return returned;
    } catch (thrown) {
      return this.#failed(thrown, name);
    }
  }

  /**
   * @param {unknown} thrown
   * @param {string} name
   */
  #failed(thrown, name) {
    // `onError` itself must not be asked again.
    if (name === 'onError') console.error(thrown);
    else this.report(asError(thrown));
  }

  /**
   * Tells the application of an error that no promise carries: through `onError`, else on the console.
   *
   * @param {Error} error
   */
  report(error) {
    if (this.has('onError')) this.call('onError', error);
    else console.error(error);
  }
}
