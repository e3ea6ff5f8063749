// Where to connect, and how a token goes along. Opens nothing.

/**
 * The socket's address. Without a scheme it is relative to the page; without anything it is the page's own server.
 *
 * @param {string | URL | null | undefined} url
 * @returns {string}
 */
export function socketAddress(url) {
  const parsed = new URL(url || '/ws', globalThis.location?.href);
  parsed.protocol = parsed.protocol.replace(/^http/, 'ws');
  parsed.hash = '';
  if (!/^wss?:$/.test(parsed.protocol)) throw new TypeError(`no address of a WebSocket: ${parsed.protocol}`);
  return parsed.href;
}

/**
 * The same address with the token in its query, for servers that do not take it as a subprotocol.
 *
 * @param {string} address
 * @param {string} token
 * @returns {string}
 */
export function withToken(address, token) {
  const url = new URL(address);
  url.searchParams.delete('token');
  // Not through `searchParams`: it writes a space as `+`, which is a plus sign to whoever only decodes percents.
  url.search += `${url.search ? '&' : '?'}token=${encodeURIComponent(token)}`;
  return url.href;
}

/**
 * The subprotocols that carry a token: they stand in a header, so no log of addresses shows it.
 *
 * @param {string} token
 * @returns {string[]}
 */
export function tokenProtocols(token) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(token));
  const base64url = btoa(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return ['zcomm', `token.${base64url}`];
}

/**
 * Text without the tokens in it.
 *
 * @param {string} text
 * @returns {string}
 */
export const redacted = (text) =>
  text.replace(/([?&]token=)[^&\s"]*/g, '$1***').replace(/("token"\s*:\s*")(?:[^"\\]|\\.)*/g, '$1***');
