// Messages, progress and menus. Asks nothing.

import { button, element, place, text } from './dom.js';

/** @type {HTMLElement | undefined} */
let corner;

/** Where messages go that have no place of their own. */
function messages() {
  corner ??= element('div', { className: 'bifrost bifrost-messages' });
  if (!corner.isConnected) document.body.append(corner);
  return corner;
}

/**
 * Shows a message until it is closed. Errors are announced at once, the rest when a reader has time.
 *
 * @param {any} message a text, or `{text, title, level}`
 * @param {string | Element | null} [container]
 * @param {{level?: string, title?: string, timeout?: number}} [options]
 * @returns {HTMLElement}
 */
export function renderMessage(message, container, options = {}) {
  const given = typeof message === 'object' && message !== null ? message : { text: message };
  const { level = 'info', title, timeout } = { ...given, ...options };
  const body = text(given.text ?? given.message ?? given.content ?? given);
  const shown = element('div', {
    className: 'bifrost bifrost-message', role: level === 'error' ? 'alert' : 'status', 'data-level': level,
  });
  if (title) shown.append(element('strong', {}, text(title)));
  const close = button('×', () => shown.remove(), { 'aria-label': 'Close' });
  shown.append(element('span', {}, body), close);
  (container ? place(container) : messages()).append(shown);
  if (timeout) setTimeout(() => shown.remove(), timeout);
  return shown;
}

/** @type {Map<string, {bar: HTMLProgressElement, label: HTMLElement, shown: HTMLElement}>} */
const running = new Map();

/**
 * Shows how far something is. One bar per id; a full one goes away.
 *
 * @param {any} data `{id, label, value, max}`; without a value, nobody knows
 */
export function showProgress({ id = '', label = '', value, max = 100 }) {
  const name = text(id);
  let known = running.get(name);
  if (!known) {
    const shown = renderMessage('');
    const made = { bar: element('progress'), label: element('span'), shown };
    made.bar.setAttribute('aria-label', text(label) || 'Progress');
    shown.prepend(made.label, made.bar);
    running.set(name, made);
    known = made;
  }
  known.label.textContent = text(label);
  if (typeof value !== 'number') return;
  known.bar.max = max;
  known.bar.value = value;
  if (value < max) return;
  running.delete(name);
  known.shown.remove();
}

/**
 * Shows choices as buttons.
 *
 * @param {any[]} items texts, or `{label, value, description}`
 * @param {string | Element} container
 * @param {any} [onSelect] called with the value and the item; or `{onSelect, label}`
 * @returns {HTMLElement}
 */
export function renderMenu(items, container, onSelect) {
  const { onSelect: select = onSelect, label = 'Menu' } = typeof onSelect === 'object' && onSelect ? onSelect : {};
  const entries = items.map((item) => {
    const name = typeof item === 'object' && item !== null ? item.label ?? item.name ?? item.value : item;
    const entry = button(text(name), () => select?.(item?.value ?? name, item));
    if (item?.description) entry.append(element('small', {}, text(item.description)));
    return element('li', {}, entry);
  });
  const menu = element('nav', { className: 'bifrost bifrost-menu', 'aria-label': text(label) });
  menu.append(element('ul', {}, ...entries));
  place(container).replaceChildren(menu);
  return menu;
}
