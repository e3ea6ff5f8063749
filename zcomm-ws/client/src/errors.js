// What goes wrong, as errors with a stable `code`. Reports nothing.

/** A request that failed: the server's `code` and `details`, or one of the client's own codes. */
export class BifrostError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {Record<string, unknown>} [details]
   */
  constructor(code, message, details = {}) {
    super(message);
    this.name = 'BifrostError';
    this.code = code;
    this.details = details;
  }
}

/** The connection is not there: `not_connected`, `connection_failed`, `connection_lost`, `refused`, `disconnected`. */
export class ConnectionError extends BifrostError {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{closeCode?: number, reason?: string}} [details]
   */
  constructor(code, message, details = {}) {
    super(code, message, details);
    this.name = 'ConnectionError';
    this.closeCode = details.closeCode;
    this.reason = details.reason;
  }
}

/**
 * Whatever was thrown, as an error.
 *
 * @param {unknown} thrown
 * @returns {Error}
 */
export const asError = (thrown) => (thrown instanceof Error ? thrown : new Error(String(thrown)));
