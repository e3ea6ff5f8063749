// The style sheet and the choice between light and dark. Styles nothing itself.

import { element } from './dom.js';

const SHEET = new URL('../../bifrost.css', import.meta.url).href;

/** @type {Map<string, Promise<boolean>>} */
const loaded = new Map();

/**
 * Loads the style sheet once, and sets the theme if one is named.
 *
 * @param {string} [theme] `auto` (as the system has it), `light`, `dark`, or the address of another style sheet
 * @returns {Promise<boolean>} whether the sheet is there
 */
export function loadTheme(theme) {
  const isName = theme === 'auto' || theme === 'light' || theme === 'dark';
  if (isName) document.documentElement.dataset.bifrostTheme = theme;
  const href = theme === undefined || isName ? SHEET : new URL(theme, document.baseURI).href;
  const known = loaded.get(href) ?? load(href);
  loaded.set(href, known);
  return known;
}

/** @param {string} href @returns {Promise<boolean>} */
function load(href) {
  return new Promise((resolve) => {
    // A page that forbids it is shown without style, rather than not at all.
    const link = element('link', { rel: 'stylesheet', href, onload: () => resolve(true), onerror: () => resolve(false) });
    document.head.append(link);
  });
}
