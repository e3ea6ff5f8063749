// The way to the second file, which draws. Draws nothing itself.

/**
 * Loads what draws, once it is needed.
 *
 * @returns {Promise<typeof import('./render/index.js')>}
 */
export const renderer = () => import('./render/index.js');
