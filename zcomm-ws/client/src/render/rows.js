// The body of a table: one row per key, patched in place. Knows neither server nor pages.

import { button, element, text } from './dom.js';

/** @typedef {Record<string, any>} Row */
/** @typedef {{name: string, label: string}} Column */
/** @typedef {{label: string, run: (row: any) => void}} Action */

/** Rows on the page, found by key. */
export class Rows {
  /** @type {Map<string, {line: HTMLTableRowElement, row: Row}>} */
  #known = new Map();
  #columns;
  #actions;
  #key;

  /**
   * @param {Column[]} columns
   * @param {string | undefined} key the field that names a row
   * @param {Action[]} actions
   */
  constructor(columns, key, actions) {
    this.#columns = columns;
    this.#key = key;
    this.#actions = actions;
    this.body = element('tbody');
  }

  get count() {
    return this.#known.size;
  }

  /** @param {unknown} id */
  row(id) {
    return this.#known.get(text(id))?.row;
  }

  /**
   * Shows exactly these rows in this order. Rows that were there keep their elements, and with them focus and selection.
   *
   * @param {Row[]} rows
   */
  show(rows) {
    const before = this.#known;
    this.#known = new Map();
    rows.forEach((row, at) => {
      const id = this.#key === undefined ? String(at) : text(row[this.#key]);
      const known = before.get(id);
      if (known) before.delete(id);
      const line = known ? known.line : this.#line(id);
      this.#known.set(id, { line, row: known ? known.row : {} });
      this.#fill(id, row, known !== undefined);
      // Moved only where it stands elsewhere: moving takes the focus away.
      if (this.body.rows[at] !== line) this.body.insertBefore(line, this.body.rows[at] ?? null);
    });
    for (const { line } of before.values()) line.remove();
  }

  /**
   * Changes one row, if it is shown.
   *
   * @param {unknown} id
   * @param {Row} row
   */
  patch(id, row) {
    if (this.#known.has(text(id))) this.#fill(text(id), row, true);
  }

  /** Whether a number comes after those of all rows. @param {number} id */
  isLast(id) {
    for (const known of this.#known.keys()) if (!(Number(known) < id)) return false;
    return true;
  }

  /** @param {Row} row */
  append(row) {
    const id = text(this.#key === undefined ? this.count : row[this.#key]);
    const line = this.#line(id);
    this.#known.set(id, { line, row: {} });
    this.#fill(id, row, false);
    this.body.append(line);
    flash(line);
  }

  /** @param {unknown} id */
  remove(id) {
    this.#known.get(text(id))?.line.remove();
    this.#known.delete(text(id));
  }

  /** @param {string} id */
  #line(id) {
    const line = element('tr', {}, ...this.#columns.map(() => element('td')));
    if (this.#actions.length) {
      const buttons = this.#actions.map(({ label, run }) => button(label, () => run(this.row(id)), {
        'aria-label': `${label} ${id}`,
      }));
      line.append(element('td', { className: 'bifrost-actions' }, ...buttons));
    }
    return line;
  }

  /**
   * @param {string} id
   * @param {Row} row
   * @param {boolean} visibly
   */
  #fill(id, row, visibly) {
    const known = /** @type {{line: HTMLTableRowElement, row: Row}} */ (this.#known.get(id));
    known.row = row;
    this.#columns.forEach(({ name }, at) => {
      const cell = known.line.cells[at];
      const shown = text(Object.hasOwn(row, name) ? row[name] : undefined);
      if (cell.textContent === shown) return;
      cell.textContent = shown;
      cell.classList.toggle('bifrost-number', typeof row[name] === 'number');
      if (visibly) flash(cell);
    });
  }
}

/** Lets an element light up, for those who like things to move. @param {HTMLElement} shown */
function flash(shown) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  // One at a time: changes may come faster than they fade.
  for (const running of shown.getAnimations()) running.cancel();
  shown.animate([{ backgroundColor: 'var(--bifrost-flash, #ffe08a)' }, {}], 700);
}
