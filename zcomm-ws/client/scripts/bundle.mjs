// Makes the files that a server serves from the modules in `src/`: `node scripts/bundle.mjs`, or `--check` to compare.
//
// The modules are joined in the order of their imports, without imports, exports and comments. Nothing is renamed, so
// no two modules may give one name to different things at their top level; that is checked here.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const BANNER = '// zBifrost for browsers. Made from zcomm-ws/client/src by scripts/bundle.mjs; see there for comments.\n';
/** Bytes that a file may have when it is packed for the way. */
const LIMITS = { 'bifrost.js': 10_240, 'bifrost.mjs': 10_240, 'bifrost-render.js': 8_192 };

const read = (path) => readFileSync(join(root, path), 'utf8');
const hash = (text) => createHash('sha1').update(text).digest('hex').slice(0, 16);

const outputs = build();
const failures = process.argv.includes('--check') ? compare(outputs) : write(outputs);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length ? 1 : 0;

function build() {
  // Each file is asked for under its content's hash by whatever asks for it, so it may be kept for ever.
  const css = read('bifrost.css');
  const render = BANNER + module('src/render/index.js')
    .replace(/new URL\('..\/..\/bifrost.css', import.meta.url\)/, `new URL('./bifrost.css?v=${hash(css)}', import.meta.url)`);
  const drawing = `./bifrost-render.js?v=${hash(render)}`;
  const core = module('src/index.js');
  const mjs = BANNER + core.replace("import('./render/index.js')", `import('${drawing}')`);
  return {
    'bifrost.css': css,
    'bifrost-render.js': render,
    'bifrost.mjs': mjs,
    'bifrost.js': BANNER + classic(core, drawing),
  };
}

/** One module that holds all that a module imports. */
function module(entry) {
  const { body, exported } = joined(entry);
  return `${body}\nexport { ${exported.join(', ')} };\n`;
}

/** A script for pages without modules: its names are global. */
function classic(core, drawing) {
  const exported = /\nexport \{ (.*) \};\n$/.exec(core);
  // A script from elsewhere has no address of its own for `import()`; only now does anything know it.
  const body = core.slice(0, exported.index).replace("import('./render/index.js')", `import(new URL('${drawing}', SOURCE).href)`);
  const indented = body.trimEnd().split('\n').map((line) => (line ? `  ${line}` : '')).join('\n');
  return `(() => {\n  'use strict';\n  const SOURCE = document.currentScript?.src || location.href;\n${indented}\n  Object.assign(globalThis, { ${exported[1]} });\n})();\n`;
}

function joined(entry) {
  const seen = new Set();
  const names = new Map();
  const parts = [];
  let exported = [];
  visit(join(root, entry));
  return { body: parts.join('\n'), exported };

  function visit(path) {
    if (seen.has(path)) return;
    seen.add(path);
    const text = uncommented(readFileSync(path, 'utf8'));
    for (const [, from] of text.matchAll(/^(?:import|export) \{[^}]*\} from '([^']+)';$/gm)) visit(resolve(dirname(path), from));
    if (path === join(root, entry)) {
      exported = [...text.matchAll(/^export \{([^}]*)\} from/gm)].flatMap(([, list]) => list.split(',').map((name) => name.trim()));
    }
    const body = text
      .replace(/^(?:import|export) \{[^}]*\} from '[^']+';\n/gm, '')
      .replace(/^export (?=(?:async )?(?:function|class|const))/gm, '');
    if (/^(?:import|export)\b/m.test(body)) throw new Error(`${path}: only named imports and exports can be joined`);
    for (const [, name] of body.matchAll(/^(?:async )?(?:function|class|const|let) (\w+)/gm)) {
      if (names.has(name)) throw new Error(`${path}: \`${name}\` is a name in ${names.get(name)} too`);
      names.set(name, path);
    }
    if (body.trim()) parts.push(body.trim() + '\n');
  }
}

/** Without lines that are only comments, and without comments in front of code. Strings stay as they are. */
function uncommented(text) {
  return text
    .replace(/^[ \t]*\/\*\*?[\s\S]*?\*\/[ \t]*\n/gm, '')
    .replace(/\/\*\* @type [^*]*\*\/ ?/g, '')
    .replace(/^[ \t]*\/\/.*\n/gm, '')
    .replace(/\n{3,}/g, '\n\n');
}

function write(files) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'dist', name), text);
  return tooLarge(files);
}

function compare(files) {
  const stale = Object.entries(files).filter(([name, text]) => {
    try {
      return read(join('dist', name)) !== text;
    } catch {
      return true;
    }
  });
  return [...stale.map(([name]) => `dist/${name} is not current: run \`npm run bundle\``), ...tooLarge(files)];
}

function tooLarge(files) {
  return Object.entries(LIMITS).flatMap(([name, limit]) => {
    const size = gzipSync(files[name], { level: 9 }).length;
    if (!process.argv.includes('--check')) console.log(`${name}: ${size} of ${limit} bytes, packed`);
    return size > limit ? [`dist/${name} has ${size} bytes packed, more than ${limit}`] : [];
  });
}
