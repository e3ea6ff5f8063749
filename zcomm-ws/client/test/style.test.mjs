// The style sheet's colours: text can be read on its ground, in both themes. WCAG 2.2 §1.4.3 and §1.4.11.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../bifrost.css', import.meta.url), 'utf8');

/** The colours of one block. */
const colours = (start) => {
  const block = css.slice(css.indexOf(start)).split('}')[0];
  return Object.fromEntries([...block.matchAll(/--bifrost-([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, colour]) => [name, colour]));
};

function luminance(colour) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, two) {
  const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

for (const [theme, start] of [['light', '.bifrost {'], ['dark', ':root[data-bifrost-theme="dark"] .bifrost {']]) {
  test(`the ${theme} theme has a contrast of AA`, () => {
    const its = colours(start);
    const texts = [
      ['text', 'ground'], ['text', 'raised'], ['text', 'flash'], ['muted', 'ground'], ['muted', 'raised'], ['problem', 'ground'],
      ['problem', 'raised'], ['on-accent', 'accent'],
    ];
    for (const [text, ground] of texts) assert.ok(contrast(its[text], its[ground]) >= 4.5, `${text} on ${ground}`);
    assert.ok(contrast(its.accent, its.ground) >= 3, 'what has the focus');
  });
}

test('the dark theme is the same by the system\'s choice and by the page\'s', () => {
  assert.deepEqual(colours(':root:not([data-bifrost-theme="light"]) .bifrost {'), colours(':root[data-bifrost-theme="dark"] .bifrost {'));
});
