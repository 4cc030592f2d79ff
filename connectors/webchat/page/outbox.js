// Sends what waits, one after the other, until each is accepted or refused for good. Everything is
// sent under its id, so sending it again after a cut does no harm.

import { Lost } from './connection.js';

const UPLOAD = 200_000;
// How long a file may take until it is kept.
const FILE_KEPT = 10_000;

export class Outbox {
  #connection;
  #transcript;
  #files;
  #visitor;
  #progress;
  #busy = false;
  #again = false;

  constructor({ connection, transcript, files, visitor, progress }) {
    this.#connection = connection;
    this.#transcript = transcript;
    this.#files = files;
    this.#visitor = visitor;
    this.#progress = progress;
  }

  /** Sends what waits, if there is a connection. Only one tab sends at a time. */
  async flush() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      do {
        this.#again = false;
        if (navigator.locks) await navigator.locks.request('langnghe-outbox', () => this.#drain());
        else await this.#drain();
      } while (this.#again);
    } finally {
      this.#busy = false;
    }
  }

  async #drain() {
    while (this.#connection.online) {
      const entry = this.#transcript.entries().find((each) => each.state === 'waiting');
      if (!entry) return;
      if (await this.#isOnItsWay(entry)) {
        setTimeout(() => this.flush(), 2000);
        return;
      }
      let answer;
      try {
        answer = entry.file ? await this.#upload(entry) : await this.#connection.ask(asFrame(entry));
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        // A file can fail while the connection stands; otherwise the reconnection flushes again.
        await pause(2000);
        continue;
      }
      if (answer.reason === 'unavailable') {
        await pause((answer.retry_after ?? 5) * 1000 * (1 + Math.random() / 2));
      } else if (answer.type === 'accepted') {
        this.#settle(entry, { state: 'sent' });
      } else {
        this.#settle(entry, { state: 'failed', reason: answer.reason });
      }
    }
  }

  /** Another tab is about to keep the file, or holds it in memory: then it sends it. */
  async #isOnItsWay({ id, at, file }) {
    return file && Math.abs(Date.now() - at) < FILE_KEPT && !(await this.#files.get(id));
  }

  #settle(entry, change) {
    this.#transcript.update(entry.id, change);
    if (entry.file && change.state === 'sent') this.#files.drop(entry.id);
  }

  async #upload(entry) {
    const file = await this.#files.get(entry.id);
    if (!file) return { type: 'refused', reason: 'lost' };
    const form = new FormData();
    form.append('id', entry.id);
    if (entry.text) form.append('text', entry.text);
    form.append('file', file, entry.file.name);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open('POST', this.#connection.address('upload'));
      request.setRequestHeader('Authorization', `Bearer ${this.#visitor()}`);
      request.responseType = 'json';
      request.timeout = UPLOAD;
      request.upload.onprogress = ({ loaded, total }) => this.#progress(entry.id, loaded / (total || 1));
      request.onload = () => {
        const answer = request.response;
        if (answer?.reason === 'idle') reject(new Lost());
        else if (answer?.type) resolve(answer);
        else if (request.status === 413) resolve({ type: 'refused', reason: 'too_large' });
        else reject(new Lost());
      };
      request.onerror = request.ontimeout = request.onabort = () => reject(new Lost());
      request.send(form);
    });
  }
}

function asFrame({ id, text, payload, location }) {
  return { type: 'message', id, text, payload, location };
}

function pause(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}
