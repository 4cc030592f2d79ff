// What the browser keeps: who the visitor is, the transcript with what waits to be sent, and the
// files that wait. All tabs share it, and a tab may see what another one wrote a little late: so each
// entry of the transcript is written by itself, and no tab ever writes back what another one said.

const ENTRIES = 200;
const ENTRY = 'entry:';

/** Local storage under a prefix; memory where the browser forbids it (a frame, a private window). */
export class Keep {
  #prefix;
  #storage;
  #memory = new Map();

  /** `storage` gives the place; it may throw. */
  constructor(prefix, storage = () => localStorage) {
    this.#prefix = prefix;
    this.#storage = storage;
  }

  /** The names that begin so, in no order. */
  names(beginning) {
    const names = new Set(this.#memory.keys());
    try {
      const storage = this.#storage();
      for (let index = 0; index < storage.length; index += 1) {
        const key = storage.key(index);
        if (key?.startsWith(this.#prefix)) names.add(key.slice(this.#prefix.length));
      }
    } catch {
      // Only what is in memory.
    }
    return [...names].filter((name) => name.startsWith(beginning));
  }

  get(name, otherwise) {
    if (this.#memory.has(name)) return structuredClone(this.#memory.get(name));
    try {
      const text = this.#storage().getItem(this.#prefix + name);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  }

  set(name, value) {
    try {
      this.#storage().setItem(this.#prefix + name, JSON.stringify(value));
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, structuredClone(value));
    }
  }

  remove(name) {
    this.#memory.delete(name);
    try {
      this.#storage().removeItem(this.#prefix + name);
    } catch {
      // Nothing was kept there.
    }
  }

  /** Forgets the visitor and all that was said; the language stays. */
  clear() {
    this.remove('visitor');
    for (const name of this.names('')) if (name !== 'language') this.remove(name);
  }

  /** Calls back when another tab changed something: its name, and what it was and is. */
  watch(changed) {
    const read = (text) => (text === null ? null : JSON.parse(text));
    addEventListener('storage', ({ key, oldValue, newValue }) => {
      if (key === null || key.startsWith(this.#prefix)) {
        changed(key?.slice(this.#prefix.length) ?? null, read(oldValue), read(newValue));
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

  /** Whether what is kept under this name belongs to it. */
  holds(name) {
    return name.startsWith(ENTRY);
  }

  /** All entries, the oldest first. */
  entries() {
    const entries = this.#keep.names(ENTRY).map((name) => this.#keep.get(name, null));
    return entries
      .filter((entry) => entry !== null)
      .sort((one, other) => one.order - other.order || (one.id < other.id ? -1 : 1));
  }

  add(entry) {
    const entries = this.entries();
    const at = Date.now();
    // After all that is there, also within a millisecond or when the clock was set back.
    const order = Math.max(at, (entries.at(-1)?.order ?? 0) + 0.001);
    this.#keep.set(ENTRY + entry.id, { at, order, ...entry });
    const spare = entries.length + 1 - ENTRIES;
    for (const { id, state } of entries.slice(0, Math.max(spare, 0))) {
      if (state !== 'waiting') this.#keep.remove(ENTRY + id);
    }
    this.#changed();
  }

  update(id, change) {
    const entry = this.#keep.get(ENTRY + id, null);
    if (!entry) return;
    this.#keep.set(ENTRY + id, { ...entry, ...change });
    this.#changed();
  }

  /**
   * Another tab wrote what was under this name. One that is late takes a reply in once more and would put it
   * behind what was said since: its first place stays.
   */
  keepPlace(name, before, now) {
    if (before && now && before.order < now.order) {
      this.#keep.set(name, { ...now, order: before.order, at: before.at });
    }
  }

  /** Takes a reply in, once. It is kept when this returns. */
  addReply(id, reply) {
    if (this.#keep.get(ENTRY + id, null) === null) this.add({ id, from: 'them', reply });
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
