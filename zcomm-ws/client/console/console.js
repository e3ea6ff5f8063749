// The console: rows of each model, a box for requests, the messages of this connection. It is a client like any other.

import { BifrostClient } from './bifrost.mjs';

/** More messages than this are no log any more, but a load. */
const KEPT = 200;

const part = (id) => document.getElementById(id);
const status = (text) => { part('status').textContent = text; };

/** A token in the fragment never reaches a server's log; out of the address, it reaches no bookmark either. */
let token = new URLSearchParams(location.hash.slice(1)).get('token') || undefined;
if (location.hash) history.replaceState(null, '', location.pathname + location.search);

let client;
let examples = [];
const log = [];

async function connect() {
  client?.disconnect();
  client = new BifrostClient(null, {
    token,
    hooks: {
      onConnected: greet,
      onDisconnected: ({ code, reason, willReconnect }) =>
        status(`${willReconnect ? 'coming back' : 'disconnected'} (${code} ${reason})`),
      onMessage: note,
      onError: complain,
    },
  });
  try {
    const info = await client.connect();
    part('login').hidden = true;
    await begin(info);
  } catch (error) {
    status(error.message);
    part('login').hidden = error.closeCode !== 1008;
    if (!part('login').hidden) part('token').focus();
  }
}

function greet({ server_version: version = '?', auth }) {
  status(`connected to zcomm ${version} as ${auth?.user ?? 'guest'}`);
}

function complain(error) {
  client.renderMessage(error.message, null, { level: 'error' });
}

/** @param {any} info */
async function begin({ available_models: models = [] }) {
  const entries = models.map((name) => ({ label: name, value: name }));
  const menu = await client.renderMenu(entries, '#models', { onSelect: (name) => show(name).catch(complain), label: 'Models' });
  part('models').replaceChildren(...menu.children);
  await offer(models);
  if (models.length) await show(models[0]);
}

/** @param {string} model */
async function show(model) {
  for (const entry of part('models').querySelectorAll('button')) {
    entry.setAttribute('aria-current', String(entry.textContent === model));
  }
  part('rows-title').textContent = model;
  const schema = await client.getSchema(model);
  const may = (operation) => schema.operations?.includes(operation) ?? true;
  const key = schema.primary_key;
  const actions = [];
  if (may('update')) actions.push({ label: 'Edit', run: (row) => edit(schema, row) });
  if (may('delete')) actions.push({ label: 'Delete', run: (row) => remove(model, row[key]) });
  part('new').hidden = !may('create');
  part('new').onclick = () => edit(schema);
  table = await client.renderTable(model, '#table', { caption: `Rows of ${model}`, pageSize: 25, actions });
}

let table;

async function edit(schema, row) {
  const title = document.createElement('h2');
  title.textContent = row ? `Change ${schema.model}` : `New ${schema.model}`;
  const body = document.createElement('div');
  const cancel = document.createElement('button');
  cancel.type = 'button';
  cancel.textContent = 'Cancel';
  const dialog = document.createElement('dialog');
  dialog.className = 'bifrost bifrost-dialog';
  dialog.append(title, body, cancel);
  dialog.onclose = () => dialog.remove();
  cancel.onclick = () => dialog.close();
  document.body.append(dialog);
  const onDone = () => {
    dialog.close();
    // The writer is not told of its own change where it has no subscription.
    table.refresh();
  };
  await client.renderForm(schema, body, { values: row, onDone });
  dialog.showModal();
}

async function remove(model, id) {
  if (!confirm(`Delete ${model} ${id}?`)) return;
  await client.delete(model, id).then(() => table.refresh(), complain);
}

/** Fills the examples with what this identity may do, as `discover` says it. */
async function offer(models) {
  const found = await client.discover().then(({ schemas }) => schemas, () => undefined);
  const known = found ?? models.map((name) => ({ name, operations: ['read'] }));
  examples = [{ event: 'ping' }, { event: 'connection_info' }, { event: 'discover' }, { event: 'cache_stats' }];
  for (const { name, operations = [] } of known) {
    examples.push({ event: 'get_schema', model: name });
    if (operations.includes('read')) examples.push({ zKey: `^List ${name}`, order_by: '-id', limit: 5 });
    if (operations.includes('create')) examples.push({ zKey: `^Create ${name}`, data: {} });
  }
  const options = examples.map((example, at) => new Option(JSON.stringify(example), String(at)));
  part('example').replaceChildren(...options);
  choose();
}

function choose() {
  const example = examples[Number(part('example').value)];
  if (example) part('message').value = JSON.stringify(example, null, 2);
}

async function send(event) {
  event.preventDefault();
  const began = performance.now();
  let answer;
  try {
    answer = await client.send(JSON.parse(part('message').value));
  } catch ({ message, code, details }) {
    answer = { error: message, code, details };
  }
  const took = (performance.now() - began).toFixed(1);
  part('answer').textContent = `${JSON.stringify(answer, null, 2)}\n\n${took} ms`;
}

/** @param {any} message */
function note(message) {
  log.unshift(`${new Date().toISOString().slice(11, 23)} ${JSON.stringify(message)}`);
  log.length = Math.min(log.length, KEPT);
  if (note.waits) return;
  note.waits = true;
  requestAnimationFrame(() => {
    note.waits = false;
    list();
  });
}

function list() {
  const wanted = part('filter').value.toLowerCase();
  const lines = log.filter((line) => line.toLowerCase().includes(wanted)).map((line) => {
    const entry = document.createElement('li');
    entry.textContent = line;
    return entry;
  });
  part('log').replaceChildren(...lines);
}

part('login').onsubmit = (event) => {
  event.preventDefault();
  token = part('token').value;
  part('token').value = '';
  connect();
};
part('theme').onchange = () => client.loadTheme(part('theme').value);
part('example').onchange = choose;
part('request').onsubmit = send;
part('filter').oninput = list;
part('clear').onclick = () => {
  log.length = 0;
  list();
};
connect();
