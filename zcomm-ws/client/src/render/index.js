// What the client draws with. Loaded on first use; holds nothing of its own.

export { renderForm } from './form.js';
export { renderMenu, renderMessage } from './message.js';
export { renderTable } from './table.js';
export { askInput, showDisplay } from './dialog.js';
export { loadTheme } from './theme.js';
