// Forms from the fields of a model. What a value means is decided by the field's type, what it may be by the server.

import { button, element, freshId, place, text } from './dom.js';

/** @typedef {Record<string, any>} Field as `get_schema` describes it */

/** @type {Record<string, Record<string, any>>} */
const INPUTS = {
  int: { type: 'number', step: 1 },
  float: { type: 'number', step: 'any' },
  decimal: { inputMode: 'decimal' },
  bool: { type: 'checkbox' },
  date: { type: 'date' },
  datetime: { type: 'datetime-local', step: 0.001 },
  password: { type: 'password', autocomplete: 'off' },
};

/**
 * A form for a row of a model.
 *
 * @param {any} client
 * @param {any} schema a model's name, what `getSchema` gave, or a list of fields
 * @param {string | Element} container
 * @param {{values?: any, onSubmit?: (values: any) => any, onDone?: (row: any) => void, submit?: string}} [options]
 *   with `values` of a row that exists it changes that row; `onSubmit` takes the place of the call
 * @returns {Promise<HTMLFormElement>}
 */
export async function renderForm(client, schema, container, options = {}) {
  const at = place(container);
  const known = typeof schema === 'string' ? await client.getSchema(schema) : schema;
  const fields = /** @type {Field[]} */ (Array.isArray(known) ? known : known.fields);
  const { values: before = {}, onDone, submit = 'Save' } = options;
  const key = known.primary_key ?? fields.find((field) => field.primary_key)?.name;
  const id = key === undefined ? undefined : before[key];
  const asked = fields.filter((field) => field.writable !== false && !(field.primary_key && (field.auto_increment || id !== undefined)));
  const inputs = asked.map((field) => ({ field, input: input(field, before[field.name]) }));
  const problem = element('p', { className: 'bifrost-problem', role: 'alert', hidden: true });
  const send = options.onSubmit ?? ((/** @type {any} */ values) => id === undefined
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
      const named = /** @type {any} */ (error)?.details?.field;
      inputs.find(({ field }) => field.name === named)?.input.focus();
    }
  };
  at.replaceChildren(form);
  return form;
}

/**
 * @param {Field} field
 * @param {any} input
 */
function labelled(field, input) {
  const name = element('label', { htmlFor: input.id }, text(field.label ?? field.name));
  return element('div', { className: 'bifrost-field' }, name, input);
}

/**
 * @param {Field} field
 * @param {any} value
 * @returns {any}
 */
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
    // A box that has to be ticked would make `false` impossible.
    made.required = false;
  } else made.value = field.type === 'datetime' ? local(value) : text(value);
  return made;
}

/** @param {Record<string, any>} common @param {any[]} choices @param {any} value */
function select(common, choices, value) {
  const options = choices.map((choice) => {
    const of = choice?.value ?? choice;
    return element('option', { value: JSON.stringify(of), selected: of === value }, text(choice?.label ?? of));
  });
  if (!common.required) options.unshift(element('option', { value: '', selected: value === undefined || value === null }, ''));
  return element('select', common, ...options);
}

/** An instant as the input wants it: local, without a zone. @param {any} value */
function local(value) {
  const instant = new Date(value ?? NaN);
  if (Number.isNaN(instant.getTime())) return '';
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 23);
}

/**
 * What was entered, without what stayed as it was: nobody's change elsewhere is undone by saving a form.
 *
 * @param {{field: Field, input: any}[]} inputs
 * @param {Record<string, any>} before
 */
function changed(inputs, before) {
  /** @type {Record<string, any>} */
  const values = {};
  for (const { field, input } of inputs) {
    const value = entered(field, input);
    const was = before[field.name];
    if (value === null && (was === undefined || was === null)) continue;
    if (JSON.stringify(value) !== JSON.stringify(was)) values[field.name] = value;
  }
  return values;
}

/** @param {Field} field @param {any} input */
function entered(field, input) {
  if (field.type === 'bool') return input.checked;
  const { value } = input;
  if (value === '') return null;
  if (input.tagName === 'SELECT' || field.type === 'json') return JSON.parse(value);
  if (field.type === 'float') return Number(value);
  // Digits that no number here holds exactly travel as text.
  if (field.type === 'int') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return field.type === 'datetime' ? new Date(value).toISOString() : value;
}

/** @param {() => void} act */
export const cancelButton = (act) => button('Cancel', act);
