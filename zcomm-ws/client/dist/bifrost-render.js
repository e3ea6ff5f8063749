// zBifrost for browsers. Made from zcomm-ws/client/src by scripts/bundle.mjs; see there for comments.
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name in made && !name.includes('-')) (made)[name] = value;
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

function place(container) {
  const found = typeof container === 'string' ? document.querySelector(container) : container;
  if (!found) throw new TypeError(`no element matches \`${container}\``);
  return found;
}

function text(value) {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const button = (label, onclick, properties) =>
  element('button', { type: 'button', onclick, ...properties }, label);

let last = 0;

const freshId = (what) => `bifrost-${what}-${(last += 1)}`;

const INPUTS = {
  int: { type: 'number', step: 1 },
  float: { type: 'number', step: 'any' },
  decimal: { inputMode: 'decimal' },
  bool: { type: 'checkbox' },
  date: { type: 'date' },
  datetime: { type: 'datetime-local', step: 0.001 },
  password: { type: 'password', autocomplete: 'off' },
};

async function renderForm(client, schema, container, options = {}) {
  const at = place(container);
  const known = typeof schema === 'string' ? await client.getSchema(schema) : schema;
  const fields = (Array.isArray(known) ? known : known.fields);
  const { values: before = {}, onDone, submit = 'Save' } = options;
  const key = known.primary_key ?? fields.find((field) => field.primary_key)?.name;
  const id = key === undefined ? undefined : before[key];
  const asked = fields.filter((field) => field.writable !== false && !(field.primary_key && (field.auto_increment || id !== undefined)));
  const inputs = asked.map((field) => ({ field, input: input(field, before[field.name]) }));
  const problem = element('p', { className: 'bifrost-problem', role: 'alert', hidden: true });
  const send = options.onSubmit ?? ((values) => id === undefined
    ? client.create(known.model, values)
    : client.update(known.model, id, values));
  const form = element('form', { className: 'bifrost bifrost-form' });
  form.append(...inputs.map(({ field, input }) => labelled(field, input)), problem);
  form.append(element('button', { type: 'submit' }, submit));
  form.onsubmit = async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      const done = await send(changed(inputs, before));
      onDone?.(done);
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
      const named = (error)?.details?.field;
      inputs.find(({ field }) => field.name === named)?.input.focus();
    }
  };
  at.replaceChildren(form);
  return form;
}

function labelled(field, input) {
  const name = element('label', { htmlFor: input.id }, text(field.label ?? field.name));
  return element('div', { className: 'bifrost-field' }, name, input);
}

function input(field, value) {
  const hasDefault = field.default !== undefined && field.default !== null;
  const common = { id: freshId('field'), name: field.name, required: Boolean(field.required) && !hasDefault };
  const choices = field.choices ?? field.options;
  if (Array.isArray(choices)) return select(common, choices, value ?? field.default);
  if (field.type === 'json') return element('textarea', { ...common, value: value === undefined ? '' : JSON.stringify(value) });
  const made = element('input', {
    ...common,
    ...(INPUTS[field.type] ?? { type: field.format === 'email' || field.format === 'url' ? field.format : 'text' }),
    min: field.min, max: field.max, minLength: field.min_length, maxLength: field.max_length,
    placeholder: hasDefault ? text(field.default) : undefined,
  });
  if (field.type === 'bool') {
    made.checked = Boolean(value ?? field.default);
    made.required = false;
  } else made.value = field.type === 'datetime' ? local(value) : text(value);
  return made;
}

function select(common, choices, value) {
  const options = choices.map((choice) => {
    const of = choice?.value ?? choice;
    return element('option', { value: JSON.stringify(of), selected: of === value }, text(choice?.label ?? of));
  });
  if (!common.required) options.unshift(element('option', { value: '', selected: value === undefined || value === null }, ''));
  return element('select', common, ...options);
}

function local(value) {
  const instant = new Date(value ?? NaN);
  if (Number.isNaN(instant.getTime())) return '';
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 23);
}

function changed(inputs, before) {
  const values = {};
  for (const { field, input } of inputs) {
    const value = entered(field, input);
    const was = before[field.name];
    if (value === null && (was === undefined || was === null)) continue;
    if (JSON.stringify(value) !== JSON.stringify(was)) values[field.name] = value;
  }
  return values;
}

function entered(field, input) {
  if (field.type === 'bool') return input.checked;
  const { value } = input;
  if (value === '') return null;
  if (input.tagName === 'SELECT' || field.type === 'json') return JSON.parse(value);
  if (field.type === 'float') return Number(value);
  if (field.type === 'int') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return field.type === 'datetime' ? new Date(value).toISOString() : value;
}

const cancelButton = (act) => button('Cancel', act);

let corner;

function messages() {
  corner ??= element('div', { className: 'bifrost bifrost-messages' });
  if (!corner.isConnected) document.body.append(corner);
  return corner;
}

function renderMessage(message, container, options = {}) {
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

const running = new Map();

function showProgress({ id = '', label = '', value, max = 100 }) {
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

function renderMenu(items, container, onSelect) {
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

class Rows {
  #known = new Map();
  #columns;
  #actions;
  #key;

  constructor(columns, key, actions) {
    this.#columns = columns;
    this.#key = key;
    this.#actions = actions;
    this.body = element('tbody');
  }

  get count() {
    return this.#known.size;
  }

  row(id) {
    return this.#known.get(text(id))?.row;
  }

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
      if (this.body.rows[at] !== line) this.body.insertBefore(line, this.body.rows[at] ?? null);
    });
    for (const { line } of before.values()) line.remove();
  }

  patch(id, row) {
    if (this.#known.has(text(id))) this.#fill(text(id), row, true);
  }

  isLast(id) {
    for (const known of this.#known.keys()) if (!(Number(known) < id)) return false;
    return true;
  }

  append(row) {
    const id = text(this.#key === undefined ? this.count : row[this.#key]);
    const line = this.#line(id);
    this.#known.set(id, { line, row: {} });
    this.#fill(id, row, false);
    this.body.append(line);
    flash(line);
  }

  remove(id) {
    this.#known.get(text(id))?.line.remove();
    this.#known.delete(text(id));
  }

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

  #fill(id, row, visibly) {
    const known = (this.#known.get(id));
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

function flash(shown) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  for (const running of shown.getAnimations()) running.cancel();
  shown.animate([{ backgroundColor: 'var(--bifrost-flash, #ffe08a)' }, {}], 700);
}

const GATHER = 250;
const MOST = 1000;

const shown = new WeakMap();

async function renderTable(client, rows, container, options = {}) {
  const at = place(container);
  const query = typeof rows === 'string' ? { model: rows } : options.origin;
  const table = new Table(client, query, options);
  shown.get(at)?.close();
  shown.set(at, table);
  await table.begin(Array.isArray(rows) ? rows : undefined, at);
  return table;
}

class Table {
  #client;
  #query;
  #options;
  #rows = new Rows([], undefined, []);
  #fixed;
  #columns = ([]);
  #key = (undefined);
  #sort = { field: '', descending: false };
  #size;
  #offset = 0;
  #more = false;
  #changes = new Map();
  #frame = false;
  #stale = false;
  #missed = [];
  #missedMore = false;
  #wasSeen = false;
  #turn = 0;
  #timer;
  #closed = false;
  #ends = [];
  #head = element('tr');
  #problem;
  #place;
  #back;
  #forth;

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

  async begin(rows, at) {
    const given = rows !== undefined;
    const schema = this.#query && (await this.#client.getSchema(this.#query.model).catch(() => undefined));
    this.#key = this.#options.key ?? schema?.primary_key ?? (given && rows.length && rows.every(hasId) ? 'id' : undefined);
    const isLive = this.#query && this.#key !== undefined && this.#options.live !== false;
    if (isLive && !this.#closed) await this.#follow();
    if (!given) rows = this.#query ? await this.#page() : [];
    if (this.#closed) return;
    this.#more = rows.more === true;
    this.#columns = columns(this.#options.columns ?? this.#query?.fields, schema, rows);
    this.#rows = new Rows(this.#columns, this.#key, this.#options.actions ?? []);
    if (!this.#query) this.#fixed = rows;
    this.#build(at);
    this.#show(this.#fixed ? this.#cut() : rows);
    if (isLive && given) await this.refresh();
  }

  async refresh() {
    if (this.#closed) return;
    if (this.#fixed) return this.#show(this.#cut());
    const turn = ++this.#turn;
    this.#missed = [];
    try {
      const rows = await this.#page();
      if (turn !== this.#turn || this.#closed) return;
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

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#changes.clear();
    for (const end of this.#ends.splice(0)) end();
  }

  #build(at) {
    const caption = element('caption', { id: freshId('caption') }, text(this.#options.caption ?? this.#query?.model ?? 'Rows'));
    const heads = this.#columns.map(({ name, label }) =>
      element('th', { scope: 'col', 'data-field': name }, button(label, () => this.#order(name))));
    if (this.#options.actions?.length) heads.push(element('th', { scope: 'col' }, 'Actions'));
    this.#head = element('tr', {}, ...heads);
    const table = element('table', {}, caption, element('thead', {}, this.#head), this.#rows.body);
    const region = element('div', { role: 'region', tabIndex: 0, 'aria-labelledby': caption.id }, table);
    const pages = element('nav', { 'aria-label': 'Pages' }, this.#back, this.#place, this.#forth);
    this.element.replaceChildren(this.#problem, region, pages);
    at.replaceChildren(this.element);
  }

  #show(rows) {
    this.#stale = false;
    this.#rows.show(rows);
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

  #order(field) {
    this.#sort = { field, descending: this.#sort.field === field && !this.#sort.descending };
    this.#turnTo(0);
  }

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

  #cut() {
    const { field, descending } = this.#sort;
    const rows = [...(this.#fixed)];
    if (field) rows.sort((one, two) => compare(one[field], two[field]) * (descending ? -1 : 1));
    this.#more = rows.length > this.#offset + this.#size;
    return rows.slice(this.#offset, this.#offset + this.#size);
  }

  async #follow() {
    const { model, where } = this.#query;
    const client = this.#client;
    const { features = [] } = await client.connectionInfo().catch(() => ({}));
    if (features.includes('subscribe')) {
      const onChange = (change) => this.#note(change);
      const sub = await client.subscribe(model, where, { onChange, onSnapshot: () => this.#outdated() });
      this.#ends.push(() => void sub.unsubscribe());
    } else {
      const name = model.replace(/^@\.zSchema\./, '').toLowerCase();
      const listener = (message) => {
        if (message.event !== 'change' || message.model?.toLowerCase() !== name) return;
        if (where == null || message.op === 'delete') this.#note(message);
        else this.#outdated();
      };
      client.onBroadcast(listener);
      this.#ends.push(() => client.removeBroadcastListener(listener), client.onReconnect(() => this.#outdated()));
    }
    if (this.#closed) this.close();
  }

  #note(change) {
    if (this.#stale) return;
    if (this.#missed) {
      if (this.#missed.push(change) <= MOST) return;
      this.#missed = [];
      this.#missedMore = true;
      return;
    }
    const id = text(change.id);
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

  #applyOne({ op, id, row }) {
    const known = this.#rows.row(id);
    if (op === 'delete' || op === 'leave') {
      if (known) this.#rows.remove(id);
      if (this.#more || (!known && this.#offset > 0)) this.#outdated();
    } else if (!row) this.#outdated();
    else if (known) {
      const by = this.#sorting();
      if (by.some((field) => known[field] !== row[field])) this.#outdated();
      this.#rows.patch(id, row);
    } else if (this.#isNext(id)) this.#rows.append(row);
    else this.#outdated();
  }

  #sorting() {
    const { field } = this.#sort;
    if (field) return [field];
    const { order_by: order } = this.#query;
    const parts = typeof order === 'string' ? order.split(',') : order ?? [];
    return parts.map((part) => part.trim().replace(/^-/, '').split(/\s/)[0]);
  }

  #isNext(id) {
    const last = this.#rows.body.rows.length;
    return !this.#more && !this.#sorting().length && last < this.#size && typeof id === 'number' && this.#rows.isLast(id);
  }

  #outdated() {
    if (this.#closed || this.#stale) return;
    this.#stale = true;
    this.#changes.clear();
    this.#timer = setTimeout(() => {
      if (this.#isGone()) return this.close();
      this.#stale = false;
      this.refresh();
    }, GATHER);
  }

  #fail(error) {
    this.#problem.textContent = error instanceof Error ? error.message : String(error);
    this.#problem.hidden = false;
  }
}

const hasId = (row) => Object.hasOwn(row, 'id');

function columns(wanted, schema, rows) {
  const readable = schema?.fields?.filter((field) => field.readable !== false);
  const named = wanted ?? readable?.map((field) => field.name)
    ?? [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return named.map((column) => {
    const name = text(column?.name ?? column);
    return { name, label: text(column?.label ?? name) };
  });
}

function compare(one, two) {
  if (one === two) return 0;
  if (one === null || one === undefined) return -1;
  if (two === null || two === undefined) return 1;
  return one < two ? -1 : 1;
}

function dialog(title, ...children) {
  const heading = element('h2', {}, title);
  const shown = element('dialog', { className: 'bifrost bifrost-dialog', 'aria-label': title }, heading, ...children);
  shown.onclose = () => shown.remove();
  document.body.append(shown);
  shown.showModal();
  return shown;
}

async function showDisplay(client, data) {
  const { type = 'text', title = '' } = data ?? {};
  if (type === 'progress') return showProgress(data);
  if (type === 'text' || !['table', 'menu', 'form', 'image'].includes(type)) return renderMessage(data);
  const body = element('div');
  const shown = dialog(text(title) || type, body, cancelButton(() => shown.close()));
  if (type === 'image') body.append(image(data));
  if (type === 'table') await renderTable(client, data.rows ?? data.data ?? [], body, { columns: data.columns });
  if (type === 'form') await renderForm(client, data.model ?? data.fields ?? [], body, { onDone: () => shown.close() });
  if (type !== 'menu') return shown;
  renderMenu(data.items ?? data.options ?? [], body, (value, item) => {
    shown.close();
    if (item?.send) client.send(item.send).catch((error) => renderMessage(error.message, null, { level: 'error' }));
  });
  return shown;
}

function image({ src = '', url = src, alt = '' }) {
  const at = new URL(text(url), document.baseURI);
  const isImage = /^(https?|blob):$/.test(at.protocol) || /^data:image\//.test(at.href);
  return isImage ? element('img', { src: at.href, alt: text(alt) }) : element('p', {}, text(alt) || 'no image');
}

function askInput(request) {
  const { type = 'text', prompt = '', options = [], timeout_ms: limit } = request;
  return new Promise((resolve) => {
    const body = element('div');
    const shown = dialog(text(prompt) || 'Input', body);
    const answer = (value) => {
      clearTimeout(timer);
      resolve(value);
      shown.close();
    };
    const timer = limit > 0 ? setTimeout(() => answer(undefined), Math.min(limit, 2 ** 31 - 1)) : undefined;
    shown.addEventListener('cancel', () => answer(null));
    const no = cancelButton(() => answer(type === 'confirm' ? false : null));
    if (type === 'choice') {
      renderMenu(options, body, answer);
      body.append(no);
      return;
    }
    const one = { name: 'value', label: text(prompt), type, default: undefined };
    const fields = type === 'form' ? request.fields ?? options : type === 'confirm' ? [] : [one];
    const values = type === 'form' ? request.default ?? {} : { value: request.default };
    const onSubmit = (entered) => answer(entryOf(type, { ...values, ...entered }));
    renderForm(undefined, fields, body, { values, onSubmit, submit: 'OK' }).then((form) => form.append(no));
  });
}

function entryOf(type, values) {
  if (type === 'confirm') return true;
  return type === 'form' ? values : values.value ?? '';
}

const SHEET = new URL('./bifrost.css?v=a499d2fa2b8ec345', import.meta.url).href;

const loaded = new Map();

function loadTheme(theme) {
  const isName = theme === 'auto' || theme === 'light' || theme === 'dark';
  if (isName) document.documentElement.dataset.bifrostTheme = theme;
  const href = theme === undefined || isName ? SHEET : new URL(theme, document.baseURI).href;
  const known = loaded.get(href) ?? load(href);
  loaded.set(href, known);
  return known;
}

function load(href) {
  return new Promise((resolve) => {
    const link = element('link', { rel: 'stylesheet', href, onload: () => resolve(true), onerror: () => resolve(false) });
    document.head.append(link);
  });
}

export { renderForm, renderMenu, renderMessage, renderTable, askInput, showDisplay, loadTheme };
