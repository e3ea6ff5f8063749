// Dialogs: what the server shows and asks of itself. Decides no answers.

import { element, text } from './dom.js';
import { cancelButton, renderForm } from './form.js';
import { renderMenu, renderMessage, showProgress } from './message.js';
import { renderTable } from './table.js';

/**
 * @param {string} title
 * @param {Node[]} children
 */
function dialog(title, ...children) {
  const heading = element('h2', {}, title);
  const shown = element('dialog', { className: 'bifrost bifrost-dialog', 'aria-label': title }, heading, ...children);
  shown.onclose = () => shown.remove();
  document.body.append(shown);
  shown.showModal();
  return shown;
}

/**
 * Shows what a `display` message carries.
 *
 * @param {any} client
 * @param {any} data
 */
export async function showDisplay(client, data) {
  const { type = 'text', title = '' } = data ?? {};
  if (type === 'progress') return showProgress(data);
  if (type === 'text' || !['table', 'menu', 'form', 'image'].includes(type)) return renderMessage(data);
  const body = element('div');
  const shown = dialog(text(title) || type, body, cancelButton(() => shown.close()));
  if (type === 'image') body.append(image(data));
  if (type === 'table') await renderTable(client, data.rows ?? data.data ?? [], body, { columns: data.columns });
  if (type === 'form') await renderForm(client, data.model ?? data.fields ?? [], body, { onDone: () => shown.close() });
  if (type !== 'menu') return shown;
  renderMenu(data.items ?? data.options ?? [], body, (/** @type {any} */ value, /** @type {any} */ item) => {
    shown.close();
    if (item?.send) client.send(item.send).catch((/** @type {Error} */ error) => renderMessage(error.message, null, { level: 'error' }));
  });
  return shown;
}

/** @param {any} data */
function image({ src = '', url = src, alt = '' }) {
  const at = new URL(text(url), document.baseURI);
  const isImage = /^(https?|blob):$/.test(at.protocol) || /^data:image\//.test(at.href);
  return isImage ? element('img', { src: at.href, alt: text(alt) }) : element('p', {}, text(alt) || 'no image');
}

/**
 * Asks what the server wants to know.
 *
 * @param {any} request
 * @returns {Promise<any>} `null` if it was turned down, nothing if it took too long
 */
export function askInput(request) {
  const { type = 'text', prompt = '', options = [], timeout_ms: limit } = request;
  return new Promise((resolve) => {
    const body = element('div');
    const shown = dialog(text(prompt) || 'Input', body);
    /** @param {any} value */
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
    const onSubmit = (/** @type {any} */ entered) => answer(entryOf(type, { ...values, ...entered }));
    renderForm(undefined, fields, body, { values, onSubmit, submit: 'OK' }).then((form) => form.append(no));
  });
}

/** @param {string} type @param {any} values */
function entryOf(type, values) {
  if (type === 'confirm') return true;
  return type === 'form' ? values : values.value ?? '';
}
