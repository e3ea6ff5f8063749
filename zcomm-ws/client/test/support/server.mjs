// A real server, started as a person would start it, and stopped with the test.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

const PROGRAM = process.env.ZCOMM_PROGRAM ?? resolve(import.meta.dirname, '../../../../target/debug/zcomm');

/** Those of tests that failed before they could stop them would keep the process from ending. */
const running = new Set();
after(() => running.forEach((child) => child.kill('SIGKILL')));

/**
 * @param {{port?: number, settings?: Record<string, string>, files?: Record<string, string>}} [how]
 */
export async function start({ port = 0, settings = {}, files = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'zcomm-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(PROGRAM, [...set, 'serve', '--port', String(port)], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const ended = new Promise((done) => child.once('exit', done));
  let complaints = '';
  child.stderr.on('data', (data) => { complaints += data; });
  const address = await new Promise((found, failed) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /ws:\/\/([\d.]+:\d+)/.exec(line);
      if (match) found(match[1]);
    });
    child.once('error', failed);
    ended.then((code) => failed(new Error(`the server ended with ${code}: ${complaints}`)));
  });
  return {
    url: `ws://${address}/ws`,
    http: `http://${address}`,
    port: Number(address.split(':')[1]),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
        await ended;
      running.delete(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
