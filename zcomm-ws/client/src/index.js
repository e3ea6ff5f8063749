// What the package offers. Holds nothing of its own.

export { BifrostClient, zBifrost, createClient } from './client.js';
export { BifrostError, ConnectionError } from './errors.js';
