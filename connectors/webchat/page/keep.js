// What the browser keeps: who the visitor is, the transcript with what waits to be sent, and the
// files that wait. All tabs share it.

const ENTRIES = 200;
const SEEN = 500;

/** Local storage under a prefix; memory where the browser forbids it (a frame, a private window). */
export class Keep {
  #prefix;
  #memory = new Map();

  constructor(prefix) {
    this.#prefix = prefix;
  }

  get(name, otherwise) {
    if (this.#memory.has(name)) return structuredClone(this.#memory.get(name));
    try {
      const text = localStorage.getItem(this.#prefix + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  set(name, value) {
    try {
      localStorage.setItem(this.#prefix + name, JSON.stringify(value));
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, structuredClone(value));
    }
  }

  clear() {
    this.#memory.clear();
    try {
      for (const name of ['visitor', 'entries', 'seen']) localStorage.removeItem(this.#prefix + name);
    } catch {
      // Nothing was kept there.
    }
  }

  /** Calls back when another tab changed something. */
  watch(changed) {
    addEventListener('storage', (event) => {
      if (event.key === null || event.key.startsWith(this.#prefix)) {
        changed(event.key?.slice(this.#prefix.length) ?? null);
      }
    });
  }
}

/** The visitor's secret: 256 random bits, made once. */
export function visitor(keep) {
  let secret = keep.get('visitor', null);
  if (!secret) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    secret = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    keep.set('visitor', secret);
  }
  return secret;
}

/** A random id for a message. (`crypto.randomUUID` exists on secure pages only.) */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * What was said. An entry of ours is `waiting`, `sent` or `failed`; those that wait are the queue.
 * The newest entries are kept, and all that wait.
 */
export class Transcript {
  #keep;
  #changed;

  constructor(keep, changed) {
    this.#keep = keep;
    this.#changed = changed;
  }

  entries() {
    return this.#keep.get('entries', []);
  }

  add(entry) {
    const entries = [...this.entries(), { at: Date.now(), ...entry }];
    const spare = entries.length - ENTRIES;
    this.#keep.set('entries', entries.filter((each, index) => index >= spare || each.state === 'waiting'));
    this.#changed();
  }

  update(id, change) {
    const entries = this.entries();
    const found = entries.find((entry) => entry.id === id);
    if (!found) return;
    Object.assign(found, change);
    this.#keep.set('entries', entries);
    this.#changed();
  }

  /** Takes a reply in, once. It is kept when this returns. */
  addReply(id, reply) {
    const seen = this.#keep.get('seen', []);
    if (seen.includes(id)) return;
    this.add({ id, from: 'them', reply });
    this.#keep.set('seen', [...seen, id].slice(-SEEN));
  }
}

/** Files that wait to be sent, so that they outlive a reload. */
export class Files {
  #database;
  #memory = new Map();

  constructor(name) {
    this.#database = new Promise((resolve) => {
      try {
        const request = indexedDB.open(name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore('files');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(null);
        request.onblocked = () => resolve(null);
      } catch {
        resolve(null);
      }
    });
  }

  async #run(mode, work) {
    const database = await this.#database;
    if (!database) return undefined;
    return new Promise((resolve) => {
      try {
        const request = work(database.transaction('files', mode).objectStore('files'));
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(undefined);
      } catch {
        resolve(undefined);
      }
    });
  }

  async put(id, file) {
    this.#memory.set(id, file);
    await this.#run('readwrite', (store) => store.put(file, id));
  }

  async get(id) {
    return this.#memory.get(id) ?? this.#run('readonly', (store) => store.get(id));
  }

  /** What this page itself holds, at once. */
  held(id) {
    return this.#memory.get(id);
  }

  /** Forgets the kept copy; the page still shows what it holds. */
  async drop(id) {
    await this.#run('readwrite', (store) => store.delete(id));
  }

  async clear() {
    this.#memory.clear();
    await this.#run('readwrite', (store) => store.clear());
  }
}
