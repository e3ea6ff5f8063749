// How long to wait before coming back, and after which endings at all. Waits for nothing itself.

/** The most that any wait may take, whatever the server asks for. */
export const LONGEST = 20_000;
/** A connection that lived this long makes what was before it forgotten. */
const STABLE = 60_000;

/** Full jitter: a random part of a span that doubles, so that a thousand tabs cut at once do not return at once. */
export class Backoff {
  #attempts = 0;
  #first;

  /** @param {number} first the span of the first wait in milliseconds */
  constructor(first) {
    this.#first = first > 0 ? first : 500;
  }

  /** @param {number} span how long the connection lived */
  lived(span) {
    if (span >= STABLE) this.#attempts = 0;
  }

  /**
   * @param {unknown} [asked] what the server asked for; anything but a sensible number counts as nothing
   * @returns {number} milliseconds
   */
  next(asked) {
    const span = Math.min(LONGEST, this.#first * 2 ** this.#attempts++);
    const floor = typeof asked === 'number' && asked > 0 ? asked : 0;
    return Math.min(LONGEST, floor + Math.random() * span);
  }
}

/**
 * Whether a client comes back by itself after this close code. 4001 needs a new token first.
 *
 * @param {number} code
 * @param {boolean} hasNewToken
 */
export const mayReturn = (code, hasNewToken) =>
  code === 1001 || code === 1006 || (code >= 1011 && code <= 1013) ||
  (code >= 4000 && code <= 4499 && (code !== 4001 || hasNewToken));
