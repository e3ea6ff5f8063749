// Elements from names and texts. Takes no markup: what it is given is shown, never parsed.

/**
 * An element. Texts among the children become text nodes, so nothing in them can be more than text.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} [properties] set as properties where there is one of that name, else as attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in made && !name.includes('-')) /** @type {any} */ (made)[name] = value;
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * The element that is meant by a selector, or by itself.
 *
 * @param {string | Element} container
 * @returns {Element}
 */
export function place(container) {
  const found = typeof container === 'string' ? document.querySelector(container) : container;
  if (!found) throw new TypeError(`no element matches \`${container}\``);
  return found;
}

/**
 * A value as text.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function text(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** @param {string} label @param {(event: Event) => void} onclick @param {Record<string, any>} [properties] */
export const button = (label, onclick, properties) =>
  element('button', { type: 'button', onclick, ...properties }, label);

let last = 0;

/** An id that no other element has. @param {string} what */
export const freshId = (what) => `bifrost-${what}-${(last += 1)}`;
