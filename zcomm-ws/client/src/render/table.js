// A table of rows that sorts and pages through the server and follows its changes. What a cell looks like is in `rows`.

import { button, element, freshId, place, text } from './dom.js';
import { Rows } from './rows.js';

/** How long changes that need a fresh page are collected. */
const GATHER = 250;
/** More changes than this in one frame cost more than the page. */
const MOST = 1000;

/** @type {WeakMap<Element, Table>} */
const shown = new WeakMap();

/**
 * Shows rows, or a model.
 *
 * @param {any} client
 * @param {any} rows rows, or the name of a model
 * @param {string | Element} container
 * @param {any} [options]
 */
export async function renderTable(client, rows, container, options = {}) {
  const at = place(container);
  const query = typeof rows === 'string' ? { model: rows } : options.origin;
  const table = new Table(client, query, options);
  shown.get(at)?.close();
  shown.set(at, table);
  await table.begin(Array.isArray(rows) ? rows : undefined, at);
  return table;
}

/** One table on the page. */
export class Table {
  #client;
  #query;
  #options;
  /** @type {Rows} */
  #rows = new Rows([], undefined, []);
  /** @type {any[] | undefined} rows without a server behind them */
  #fixed;
  #columns = /** @type {import('./rows.js').Column[]} */ ([]);
  #key = /** @type {string | undefined} */ (undefined);
  #sort = { field: '', descending: false };
  #size;
  #offset = 0;
  #more = false;
  /** What came since the last frame, the latest of each row. @type {Map<string, any>} */
  #changes = new Map();
  #frame = false;
  #stale = false;
  /** What came while a page is being read; the first one is from the begin. @type {any[] | undefined} */
  #missed = [];
  #missedMore = false;
  #wasSeen = false;
  /** Counts the pages asked for, so that an older one that comes late is not shown. */
  #turn = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #closed = false;
  /** @type {(() => void)[]} */
  #ends = [];
  #head = element('tr');
  #problem;
  #place;
  #back;
  #forth;

  /**
   * @param {any} client
   * @param {any} query what to read: `{model, where, fields, order_by, limit, offset}`; without one rows stand still
   * @param {any} options
   */
  constructor(client, query, options) {
    this.#client = client;
    this.#options = options;
    const { filters, ...rest } = query ?? {};
    const { where = rest.where ?? filters ?? undefined, order_by = rest.order_by } = options;
    this.#query = query && { ...rest, where, order_by };
    this.#size = options.pageSize ?? query?.limit ?? 50;
    this.#offset = query?.offset ?? 0;
    this.element = element('div', { className: 'bifrost bifrost-table' });
    this.#problem = element('p', { className: 'bifrost-problem', role: 'alert', hidden: true });
    this.#place = element('span', { 'aria-live': 'polite' });
    this.#back = button('Previous', () => this.#turnTo(this.#offset - this.#size));
    this.#forth = button('Next', () => this.#turnTo(this.#offset + this.#size));
  }

  /**
   * @param {any} rows
   * @param {Element} at
   */
  async begin(rows, at) {
    const given = rows !== undefined;
    const schema = this.#query && (await this.#client.getSchema(this.#query.model).catch(() => undefined));
    this.#key = this.#options.key ?? schema?.primary_key ?? (given && rows.length && rows.every(hasId) ? 'id' : undefined);
    const isLive = this.#query && this.#key !== undefined && this.#options.live !== false;
    // Before the rows are read: what changes between the two would be missed.
    if (isLive && !this.#closed) await this.#follow();
    if (!given) rows = this.#query ? await this.#page() : [];
    if (this.#closed) return;
    this.#more = rows.more === true;
    this.#columns = columns(this.#options.columns ?? this.#query?.fields, schema, rows);
    this.#rows = new Rows(this.#columns, this.#key, this.#options.actions ?? []);
    if (!this.#query) this.#fixed = rows;
    this.#build(at);
    this.#show(this.#fixed ? this.#cut() : rows);
    // Rows that were read earlier may be old by now.
    if (isLive && given) await this.refresh();
  }

  /** Reads the page again. @returns {Promise<void>} */
  async refresh() {
    if (this.#closed) return;
    if (this.#fixed) return this.#show(this.#cut());
    const turn = ++this.#turn;
    this.#missed = [];
    try {
      const rows = await this.#page();
      if (turn !== this.#turn || this.#closed) return;
      // The last row of the page went away.
      if (!rows.length && this.#offset > 0) return this.#turnTo(this.#offset - this.#size);
      this.#more = rows.more === true;
      this.#problem.hidden = true;
      this.#show(rows);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#catchUp();
      this.#fail(error);
    }
  }

  /** Stops to follow changes. What is shown stays. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#changes.clear();
    for (const end of this.#ends.splice(0)) end();
  }

  /** @param {Element} at */
  #build(at) {
    const caption = element('caption', { id: freshId('caption') }, text(this.#options.caption ?? this.#query?.model ?? 'Rows'));
    const heads = this.#columns.map(({ name, label }) =>
      element('th', { scope: 'col', 'data-field': name }, button(label, () => this.#order(name))));
    if (this.#options.actions?.length) heads.push(element('th', { scope: 'col' }, 'Actions'));
    this.#head = element('tr', {}, ...heads);
    const table = element('table', {}, caption, element('thead', {}, this.#head), this.#rows.body);
    // A table wider than the page scrolls, by keys too.
    const region = element('div', { role: 'region', tabIndex: 0, 'aria-labelledby': caption.id }, table);
    const pages = element('nav', { 'aria-label': 'Pages' }, this.#back, this.#place, this.#forth);
    this.element.replaceChildren(this.#problem, region, pages);
    at.replaceChildren(this.element);
  }

  /** @param {any[]} rows */
  #show(rows) {
    this.#stale = false;
    this.#rows.show(rows);
    // They may have happened after the server had read the page; those that had not are in it, and change nothing.
    this.#catchUp();
    this.#state();
  }

  #catchUp() {
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    for (const change of missed) this.#applyOne(change);
    if (this.#missedMore) this.#outdated();
    this.#missedMore = false;
  }

  #state() {
    const { count } = this.#rows;
    const { field, descending } = this.#sort;
    this.#place.textContent = count ? `${this.#offset + 1}–${this.#offset + count}` : 'no rows';
    this.#back.disabled = this.#offset === 0;
    this.#forth.disabled = !this.#more;
    for (const head of this.#head.cells) {
      if (head.dataset.field !== field) head.removeAttribute('aria-sort');
      else head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
    }
  }

  /** @param {string} field */
  #order(field) {
    this.#sort = { field, descending: this.#sort.field === field && !this.#sort.descending };
    this.#turnTo(0);
  }

  /** @param {number} offset @returns {Promise<void>} */
  #turnTo(offset) {
    this.#offset = Math.max(0, offset);
    return this.refresh();
  }

  #page() {
    const { model, limit, offset, after, ...query } = this.#query;
    const { field, descending } = this.#sort;
    if (field) query.order_by = descending ? `-${field}` : field;
    return this.#client.read(model, undefined, { ...query, limit: this.#size, offset: this.#offset });
  }

  /** The page of rows that no server sorts. */
  #cut() {
    const { field, descending } = this.#sort;
    const rows = [.../** @type {any[]} */ (this.#fixed)];
    if (field) rows.sort((one, two) => compare(one[field], two[field]) * (descending ? -1 : 1));
    this.#more = rows.length > this.#offset + this.#size;
    return rows.slice(this.#offset, this.#offset + this.#size);
  }

  async #follow() {
    const { model, where } = this.#query;
    const client = this.#client;
    const { features = [] } = await client.connectionInfo().catch(() => ({}));
    if (features.includes('subscribe')) {
      const onChange = (/** @type {any} */ change) => this.#note(change);
      // A snapshot only comes after something was missed: the page is then read again.
      const sub = await client.subscribe(model, where, { onChange, onSnapshot: () => this.#outdated() });
      this.#ends.push(() => void sub.unsubscribe());
    } else {
      const name = model.replace(/^@\.zSchema\./, '').toLowerCase();
      const listener = (/** @type {any} */ message) => {
        if (message.event !== 'change' || message.model?.toLowerCase() !== name) return;
        // Without a subscription nobody says whether the row still matches.
        if (where == null || message.op === 'delete') this.#note(message);
        else this.#outdated();
      };
      client.onBroadcast(listener);
      this.#ends.push(() => client.removeBroadcastListener(listener), client.onReconnect(() => this.#outdated()));
    }
    if (this.#closed) this.close();
  }

  /** @param {any} change */
  #note(change) {
    if (this.#stale) return;
    if (this.#missed) {
      if (this.#missed.push(change) <= MOST) return;
      this.#missed = [];
      this.#missedMore = true;
      return;
    }
    const id = text(change.id);
    // Behind the later ones: the order of the last change of each row is kept.
    this.#changes.delete(id);
    this.#changes.set(id, change);
    if (this.#changes.size > MOST) return this.#outdated();
    if (this.#frame) return;
    this.#frame = true;
    requestAnimationFrame(() => {
      this.#frame = false;
      this.#apply();
    });
  }

  /** Whether its place on the page is gone, and with it its purpose. */
  #isGone() {
    const { isConnected } = this.element;
    this.#wasSeen ||= isConnected;
    return this.#wasSeen && !isConnected;
  }

  #apply() {
    if (this.#closed) return;
    if (this.#isGone()) return this.close();
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    for (const change of changes) this.#applyOne(change);
    this.#state();
  }

  /** @param {any} change */
  #applyOne({ op, id, row }) {
    const known = this.#rows.row(id);
    if (op === 'delete' || op === 'leave') {
      if (known) this.#rows.remove(id);
      // The page has room for a row now, or all after it moved.
      if (this.#more || (!known && this.#offset > 0)) this.#outdated();
    } else if (!row) this.#outdated();
    else if (known) {
      const by = this.#sorting();
      if (by.some((/** @type {string} */ field) => known[field] !== row[field])) this.#outdated();
      this.#rows.patch(id, row);
    } else if (this.#isNext(id)) this.#rows.append(row);
    else this.#outdated();
  }

  /** The fields whose change moves a row. */
  #sorting() {
    const { field } = this.#sort;
    if (field) return [field];
    const { order_by: order } = this.#query;
    const parts = typeof order === 'string' ? order.split(',') : order ?? [];
    return parts.map((/** @type {string} */ part) => part.trim().replace(/^-/, '').split(/\s/)[0]);
  }

  /** Whether a new row belongs right behind the last one. @param {any} id */
  #isNext(id) {
    const last = this.#rows.body.rows.length;
    return !this.#more && !this.#sorting().length && last < this.#size && typeof id === 'number' && this.#rows.isLast(id);
  }

  /** Something happened that only a fresh page shows. Many such things make one read. */
  #outdated() {
    if (this.#closed || this.#stale) return;
    this.#stale = true;
    this.#changes.clear();
    this.#timer = setTimeout(() => {
      if (this.#isGone()) return this.close();
      // From here on: what changes while the page is read is noticed again.
      this.#stale = false;
      this.refresh();
    }, GATHER);
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#problem.textContent = error instanceof Error ? error.message : String(error);
    this.#problem.hidden = false;
  }
}

/** @param {any} row */
const hasId = (row) => Object.hasOwn(row, 'id');

/**
 * @param {any} wanted
 * @param {any} schema
 * @param {any[]} rows
 * @returns {import('./rows.js').Column[]}
 */
function columns(wanted, schema, rows) {
  const readable = schema?.fields?.filter((/** @type {any} */ field) => field.readable !== false);
  const named = wanted ?? readable?.map((/** @type {any} */ field) => field.name)
    ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return named.map((/** @type {any} */ column) => {
    const name = text(column?.name ?? column);
    return { name, label: text(column?.label ?? name) };
  });
}

/** @param {any} one @param {any} two */
function compare(one, two) {
  if (one === two) return 0;
  if (one === null || one === undefined) return -1;
  if (two === null || two === undefined) return 1;
  return one < two ? -1 : 1;
}
