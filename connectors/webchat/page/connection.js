// The way to the server: a WebSocket, or long polling where none gets through. It stays up by
// itself; what goes over it is in the crate's documentation.

const PING = 25_000;
const FIRST_PING = 3_000;
const ANSWER = 12_000;
const OPENING = 10_000;
const POLL = 45_000;
const LONGEST_WAIT = 30_000;
// `WebSocket.OPEN`, where there may be no `WebSocket`.
const OPEN = 1;

/** The connection is gone; what was under way is to be sent again. */
export class Lost extends Error {}

export class Connection {
  #options;
  #state = 'connecting';
  #failures = 0;
  #unopened = 0;
  #polling;
  #reached = false;
  #socket = null;
  #abort = null;
  #answers = new Map();
  #timers = new Set();
  #running = false;

  /**
   * `options`: `path`, `visitor` and `language` as functions, `polling` to do without a WebSocket,
   * `onstate(state)`, `onframe(frame)`.
   */
  constructor(options) {
    this.#options = options;
    this.#polling = options.polling;
    addEventListener('online', () => this.wake());
    document.addEventListener('visibilitychange', () => document.hidden || this.wake());
  }

  get online() {
    return this.#state === 'online';
  }

  get state() {
    return this.#state;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  stop() {
    this.#running = false;
    this.#cut();
  }

  /** Tries again now instead of after the wait. */
  wake() {
    if (!this.#running || this.#state !== 'offline') return;
    this.#failures = 0;
    this.#connect();
  }

  /** Sends a frame that has an answer; throws `Lost` when none comes. */
  async ask(frame) {
    if (!this.online) throw new Lost();
    if (!this.#socket) return this.#post(frame);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(), ANSWER);
      const settle = (done) => (value) => {
        clearTimeout(timer);
        this.#answers.delete(frame.id);
        done(value);
      };
      this.#answers.set(frame.id, { resolve: settle(resolve), reject: settle(reject) });
      if (this.#socket.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
    });
  }

  /** Says that a reply is shown and kept. */
  async acknowledge(id) {
    const frame = { type: 'ack', id };
    if (!this.#socket) await this.#post(frame);
    else if (this.#socket.readyState === OPEN) this.#socket.send(JSON.stringify(frame));
  }

  address(name) {
    return new URL(`${this.#options.path}/${name}`, location.href);
  }

  #connect() {
    this.#cut();
    this.#say(this.#failures === 0 && this.#state !== 'offline' ? 'connecting' : this.#state);
    if (this.#polling || this.#unopened >= 2) this.#poll();
    else this.#open();
  }

  #say(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onstate(state);
  }

  #after(time, work) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, time);
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  /** Ends what there is of a connection, without a word to the page. */
  #cut() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close();
    }
    this.#abort?.abort();
    this.#abort = null;
    for (const { reject } of [...this.#answers.values()]) reject(new Lost());
  }

  #fail() {
    if (!this.#running) return;
    this.#cut();
    this.#say('offline');
    const ceiling = Math.min(LONGEST_WAIT, 500 * 2 ** this.#failures);
    this.#failures += 1;
    this.#after(ceiling / 2 + (Math.random() * ceiling) / 2, () => this.#connect());
  }

  #up() {
    this.#failures = 0;
    this.#unopened = 0;
    this.#reached = false;
    this.#say('online');
  }

  // --- WebSocket

  #open() {
    const address = this.address('ws');
    address.protocol = address.protocol.replace('http', 'ws');
    let socket;
    try {
      socket = new WebSocket(address);
    } catch {
      this.#unopened += 1;
      this.#fail();
      return;
    }
    this.#socket = socket;
    let welcome = false;
    let silence = this.#after(OPENING, () => socket.onclose());
    socket.onopen = () => {
      const { visitor, language } = this.#options;
      socket.send(JSON.stringify({ type: 'hello', visitor: visitor(), language: language() }));
    };
    socket.onmessage = ({ data }) => {
      this.#cancel(silence);
      const frame = JSON.parse(data);
      if (frame.type === 'welcome') {
        welcome = true;
        this.#up();
        // Soon, for a reply that was set aside at the moment in which we came; then now and then.
        this.#after(FIRST_PING, beat);
      } else if (frame.type === 'accepted' || frame.type === 'refused') {
        this.#answers.get(frame.id)?.resolve(frame);
      } else if (frame.type === 'error' && frame.reason === 'replaced') {
        this.#cut();
        this.#running = false;
        this.#say('replaced');
      } else {
        this.#options.onframe(frame);
      }
    };
    socket.onclose = () => {
      if (!welcome) this.#unopened += 1;
      this.#fail();
    };
    const beat = () => {
      socket.send('{"type":"ping"}');
      silence = this.#after(ANSWER, () => this.#fail());
      this.#after(PING, beat);
    };
  }

  // --- Long polling

  async #request(name, options, time) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), time);
    const given = () => abort.abort();
    options.signal?.addEventListener('abort', given);
    try {
      const response = await fetch(this.address(name), {
        ...options,
        signal: abort.signal,
        cache: 'no-store',
        headers: {
          Authorization: `Bearer ${this.#options.visitor()}`,
          'Accept-Language': this.#options.language(),
          ...options.headers,
        },
      });
      return await response.json();
    } catch {
      throw new Lost();
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', given);
    }
  }

  async #post(frame) {
    const answer = await this.#request(
      'send',
      { method: 'POST', body: JSON.stringify(frame), headers: { 'Content-Type': 'application/json' } },
      ANSWER,
    );
    if (answer.type === 'error' && answer.reason === 'unavailable') throw new Lost();
    return answer;
  }

  async #poll() {
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await this.#request('send', { method: 'POST', body: '{"type":"ping"}', signal: abort.signal }, ANSWER);
      if (abort.signal.aborted) return;
      if (!this.#polling && !this.#reached) {
        // The server is there, and perhaps it was not a moment ago: a WebSocket gets one more try.
        this.#reached = true;
        this.#open();
        return;
      }
      this.#polling = true;
      this.#up();
      while (!abort.signal.aborted) {
        const frames = await this.#request('poll', { signal: abort.signal }, POLL);
        if (!Array.isArray(frames)) throw new Lost();
        for (const frame of frames) await this.#options.onframe(frame);
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!(error instanceof Lost)) console.error(error);
      // Perhaps the whole server was away: a WebSocket gets its chance again.
      this.#polling = this.#options.polling;
      this.#reached = false;
      this.#unopened = 0;
      this.#fail();
    }
  }
}
