// Answers to identical reads, until something says that they changed. Asks nobody.

const MOST = 200;

/** One name for a model, however it was called. @param {string} model */
const bare = (model) => model.replace(/^@\.zSchema\./, '').toLowerCase();

/** Reads by model. Off until the connection promises to tell of changes. */
export class ReadCache {
  /** @type {Map<string, {model: string, reply: string, until: number}>} */
  #entries = new Map();
  /** Counts the changes of each model: a read that began before one must not be kept. @type {Map<string, number>} */
  #generations = new Map();
  #cleared = 0;
  #hits = 0;
  #misses = 0;
  ttl = 60_000;

  /**
   * @param {string} key
   * @returns {any} the reply, a copy of its own for each caller
   */
  recall(key) {
    const entry = this.#entries.get(key);
    if (entry && entry.until > Date.now()) {
      this.#hits += 1;
      return JSON.parse(entry.reply);
    }
    this.#entries.delete(key);
    this.#misses += 1;
    return undefined;
  }

  /**
   * To be taken before a read is sent, and called with its reply.
   *
   * @param {string} key
   * @param {string} model
   * @returns {(reply: any) => void}
   */
  keeper(key, model) {
    const name = bare(model);
    const began = this.#stamp(name);
    return (reply) => {
      if (this.#stamp(name) !== began) return;
      // The oldest goes first: a map keeps the order of entry.
      if (this.#entries.size >= MOST) this.#entries.delete(/** @type {string} */ (this.#entries.keys().next().value));
      this.#entries.set(key, { model: name, reply: JSON.stringify(reply), until: Date.now() + this.ttl });
    };
  }

  /** @param {string | undefined} model forgets its rows; without one, everything */
  forget(model) {
    if (model === undefined) {
      this.#cleared += 1;
      this.#entries.clear();
      return;
    }
    const name = bare(model);
    this.#generations.set(name, (this.#generations.get(name) ?? 0) + 1);
    for (const [key, entry] of this.#entries) if (entry.model === name) this.#entries.delete(key);
  }

  stats() {
    return { hits: this.#hits, misses: this.#misses, entries: this.#entries.size };
  }

  /** @param {string} name */
  #stamp(name) {
    return `${this.#cleared}.${this.#generations.get(name) ?? 0}`;
  }
}
