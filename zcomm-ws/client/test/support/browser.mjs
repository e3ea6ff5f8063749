// A real browser, and pages for it. Judges nothing.

import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';

import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';

import { HELLO } from './fake.mjs';

const PLACES = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARTEFACTS = process.env.ZCOMM_ARTEFACTS ?? resolve(import.meta.dirname, '../../../../target/browser');

export function launch() {
  const executablePath = PLACES.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error('no Chromium here: apt install chromium, or name it in CHROMIUM');
  // Its sandbox needs rights that containers do not have; the pages here are our own.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--js-flags=--expose-gc', '--enable-precise-memory-info'] });
}

/** A site with one page, on an address of its own. */
export async function site(html, headers = {}) {
  const server = createServer((request, response) => {
    const found = request.url === '/';
    response.writeHead(found ? 200 : 204, { 'content-type': 'text/html; charset=utf-8', ...headers });
    response.end(found ? html : '');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

/** A page of such a site, which notes what goes wrong on it. */
export async function open(browser, t, html, headers) {
  const its = await site(html, headers);
  const page = await browser.newPage();
  t.after(async () => {
    await page.close();
    its.close();
  });
  page.setDefaultTimeout(10_000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') page.problems.push(message.text());
  });
  await page.goto(its.url);
  return page;
}

export async function shot(page, name) {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });
}

/** A server that greets, answers as told, and lets the test speak for it. */
export async function scripted(t, answer, features = ['subscribe']) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((ready) => server.on('listening', ready));
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const heard = [];
  let wake = () => {};
  server.on('connection', (socket) => {
    socket.send(JSON.stringify({ ...HELLO, data: { features } }));
    socket.on('message', (data) => {
      const { _requestId, ...message } = JSON.parse(data);
      heard.push(message);
      wake();
      const reply = message.event === 'connection_info' ? { data: { features } } : answer(message);
      if (reply && _requestId !== undefined) socket.send(JSON.stringify({ ...reply, _requestId }));
    });
  });
  return {
    url: `ws://127.0.0.1:${server.address().port}/`,
    heard,
    say: (message) => { for (const socket of server.clients) socket.send(JSON.stringify(message)); },
    /** The first message of this event, once it has come. */
    async next(event) {
      for (;;) {
        const found = heard.find((message) => message.event === event);
        if (found) return found;
        await new Promise((resolve) => { wake = resolve; });
      }
    },
  };
}
