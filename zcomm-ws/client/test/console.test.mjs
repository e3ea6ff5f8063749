// The console in a real browser, as the server hands it out.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { createClient } from '../src/index.js';
import { launch, shot } from './support/browser.mjs';
import { start } from './support/server.mjs';

let browser;
let server;
before(async () => {
  [browser, server] = await Promise.all([launch(), start()]);
});
after(async () => {
  await browser.close();
  await server.stop();
});

async function visit(t, at = server, fragment = '') {
  const tab = await browser.newPage();
  t.after(() => tab.close());
  tab.setDefaultTimeout(10_000);
  tab.problems = [];
  tab.on('pageerror', (error) => tab.problems.push(error.message));
  tab.on('console', (message) => {
    if (message.type() === 'error') tab.problems.push(message.text());
  });
  await tab.goto(`${at.http}/${fragment}`);
  return tab;
}

test('a row is created, changed and deleted, and another tab sees each', async (t) => {
  const [one, two] = [await visit(t), await visit(t)];
  await one.getByRole('cell', { name: 'Grace', exact: true }).waitFor();
  await two.getByRole('cell', { name: 'Grace', exact: true }).waitFor();
  await one.getByRole('button', { name: 'New row' }).click();
  await one.getByRole('dialog').getByLabel('name').fill('Eve <b>');
  await one.keyboard.press('Enter');
  await one.getByRole('cell', { name: 'Eve <b>' }).waitFor();
  await two.getByRole('cell', { name: 'Eve <b>' }).waitFor();
  await two.getByRole('row', { name: 'Eve <b>' }).getByRole('button', { name: 'Edit' }).click();
  await two.getByRole('dialog').getByLabel('name').fill('Eva');
  await two.getByRole('button', { name: 'Save' }).click();
  await one.getByRole('cell', { name: 'Eva' }).waitFor();
  await shot(one, 'console');
  one.on('dialog', (dialog) => dialog.accept());
  await one.getByRole('row', { name: 'Eva' }).getByRole('button', { name: 'Delete' }).click();
  await one.getByRole('cell', { name: 'Eva' }).waitFor({ state: 'detached' });
  await two.getByRole('cell', { name: 'Eva' }).waitFor({ state: 'detached' });

  assert.deepEqual([one.problems, two.problems], [[], []]);
});

test('each model has its table, and requests their answer and their line in the log', async (t) => {
  const tab = await visit(t);
  await tab.getByRole('navigation', { name: 'Models' }).or(tab.locator('#models')).getByRole('button', { name: 'messages' }).click();
  await tab.getByRole('cell', { name: 'Hello from zcomm' }).waitFor();
  await tab.getByLabel('Example').selectOption({ label: '{"event":"ping"}' });
  await tab.getByRole('button', { name: 'Send' }).click();
  await tab.locator('#answer', { hasText: '"pong"' }).waitFor();
  await tab.locator('#message').fill('{"zKey": "^List orders"}');
  await tab.getByRole('button', { name: 'Send' }).click();
  await tab.locator('#answer', { hasText: 'unknown_model' }).waitFor();
  await tab.getByLabel('Only with').fill('PONG');
  await tab.locator('#log li', { hasText: 'pong' }).waitFor();

  assert.equal(await tab.locator('#log li').count(), 1);
  await tab.getByLabel('Theme').selectOption('dark');
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).getPropertyValue('--bifrost-ground').trim()), '#14181f');
  await shot(tab, 'console-dark');
});

test('where a token is needed it is asked for, or taken out of the address', async (t) => {
  const guarded = await start({ settings: { 'websocket.require_auth': 'true', 'websocket.token': 'right', default_access: 'authenticated' } });
  t.after(() => guarded.stop());
  const asked = await visit(t, guarded);
  await asked.getByLabel('Token').fill('right');
  await asked.getByRole('button', { name: 'Connect' }).click();
  await asked.getByText(/connected to zcomm/).waitFor();
  const given = await visit(t, guarded, '#token=right');
  await given.getByText(/connected to zcomm/).waitFor();

  assert.equal(new URL(given.url()).hash, '');
});

test('the page is kept from being framed, and loads nothing from elsewhere', async () => {
  const response = await fetch(`${server.http}/`);
  const policy = response.headers.get('content-security-policy');

  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(await response.text(), /https?:/);
});

test('the client that the guides know by another name is there too', async () => {
  const client = await createClient(server.url, { WebSocket });
  client.disconnect();
  const files = await Promise.all(['bifrost.mjs', 'zBifrost.js'].map(async (name) => {
    const response = await fetch(`${server.http}/${name}`, { headers: { origin: 'https://elsewhere.example' } });
    return [response.status, response.headers.get('access-control-allow-origin'), await response.text()];
  }));

  assert.deepEqual(files[0], files[1]);
  assert.deepEqual(files[0].slice(0, 2), [200, '*']);
});
