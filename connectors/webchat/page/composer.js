// Where the visitor writes, and picks files, the place or a recording.

import { Recording, canRecord } from './recorder.js';
import { make } from './view.js';
import { word } from './words.js';

const FILES = 5;

const get = (id) => document.getElementById(id);

export class Composer {
  #send;
  #text = get('text');
  #panel = get('more-panel');
  #more = get('more');
  #tray = get('tray');
  #picked = [];
  #recording = null;
  #longest = Number(document.documentElement.dataset.textCharacters);
  #largest = Number(document.documentElement.dataset.uploadBytes);

  /** `send({ text, location, file })` takes one message. */
  constructor(send) {
    this.#send = send;
    get('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('input', () => this.#measure());
    this.#text.addEventListener('keydown', (event) => {
      // While an input method composes (Telex, VNI), Enter belongs to it.
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault();
        this.#submit();
      }
    });
    this.#text.addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) {
        event.preventDefault();
        this.#pick(files);
      }
    });
    this.#more.addEventListener('click', () => this.#open(this.#panel.hidden));
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        this.#open(false);
        this.#more.focus();
      }
    });
    for (const [button, input] of [['pick-photo', 'photo-input'], ['pick-file', 'file-input']]) {
      get(button).addEventListener('click', () => get(input).click());
      get(input).addEventListener('change', ({ target }) => {
        this.#pick([...target.files]);
        target.value = '';
      });
    }
    get('pick-place').addEventListener('click', () => this.place());
    get('pick-voice').hidden = !canRecord;
    get('pick-voice').addEventListener('click', () => this.#record());
    get('record-keep').addEventListener('click', () => this.#recording?.finish());
    get('record-drop').addEventListener('click', () => this.#recording?.drop());
    get('pick-place').hidden = !navigator.geolocation;
    this.#measure();
  }

  /** Says something that the visitor must know; nothing takes it back. */
  notice(text = '') {
    const notice = get('notice');
    notice.hidden = !text;
    notice.textContent = text;
  }

  /** Sends the device's place, if the visitor lets us have it. */
  place() {
    this.#open(false);
    if (!navigator.geolocation) {
      this.notice(word('noPlace'));
      return;
    }
    this.notice(word('placing'));
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude, accuracy } }) => {
        this.notice();
        this.#send({ location: { latitude, longitude, accuracy } });
      },
      ({ code }) => {
        this.notice(word(code === 1 ? 'noPlaceAllowed' : 'noPlace'));
        this.#text.focus();
      },
      { enableHighAccuracy: true, timeout: 20_000, maximumAge: 30_000 },
    );
  }

  #open(open) {
    this.#panel.hidden = !open;
    this.#more.setAttribute('aria-expanded', String(open));
  }

  #submit() {
    const text = this.#text.value.trim();
    const left = this.#longest - [...text].length;
    if (left < 0 || (!text && this.#picked.length === 0)) {
      this.#text.focus();
      return;
    }
    this.notice();
    const files = this.#picked.splice(0);
    this.#text.value = '';
    this.#showTray();
    this.#measure();
    this.#open(false);
    // The words go with the first file, as a caption.
    if (files.length === 0) this.#send({ text });
    for (const [index, file] of files.entries()) {
      this.#send({ file, text: (index === 0 && text) || undefined });
    }
  }

  #measure() {
    const left = this.#longest - [...this.#text.value.trim()].length;
    const over = left < 0;
    get('left').textContent = over ? word('over', this.#longest) : left <= 200 ? word('left', left) : '';
    this.#text.setAttribute('aria-invalid', String(over));
    get('send').disabled = over;
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }

  #pick(files) {
    this.#open(false);
    this.notice();
    const small = files.filter((file) => file.size <= this.#largest);
    if (small.length < files.length) {
      this.notice(word('tooLarge', Math.floor(this.#largest / 2 ** 20)));
    }
    const room = FILES - this.#picked.length;
    if (small.length > room) this.notice(word('tooMany', FILES));
    this.#picked.push(...small.slice(0, room));
    this.#showTray();
    this.#text.focus({ preventScroll: true });
  }

  #showTray() {
    this.#tray.replaceChildren(...this.#picked.map((file) => this.#item(file)));
    this.#tray.hidden = this.#picked.length === 0;
  }

  #item(file) {
    const item = make('li');
    if (file.type.startsWith('image/')) {
      const image = make('img');
      image.src = URL.createObjectURL(file);
      image.onload = () => URL.revokeObjectURL(image.src);
      image.onerror = () => image.replaceWith(make('span', 'kind', word('image')));
      image.alt = file.name;
      item.append(image);
    } else {
      item.append(make('span', 'kind', file.name));
    }
    const remove = make('button', 'remove', '×');
    remove.type = 'button';
    remove.setAttribute('aria-label', word('remove', file.name));
    remove.addEventListener('click', () => {
      this.#picked = this.#picked.filter((each) => each !== file);
      this.#showTray();
      this.#text.focus({ preventScroll: true });
    });
    item.append(remove);
    return item;
  }

  async #record() {
    this.#open(false);
    this.notice();
    try {
      this.#recording = await Recording.start(
        (seconds) => {
          get('recorded').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
        },
        (file) => {
          this.#recording = null;
          get('recording').hidden = true;
          get('composer').hidden = false;
          if (file?.size) this.#pick([file]);
        },
      );
      get('recorded').textContent = '0:00';
      get('recording').hidden = false;
      get('composer').hidden = true;
      get('record-keep').focus();
    } catch {
      this.notice(word('noMicrophone'));
    }
  }
}
