// Shows the transcript. Texts go in as text, never as markup.

import { word } from './words.js';

const LINK = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}]/g;

export class View {
  #log = document.getElementById('log');
  #scroll = document.getElementById('scroll');
  #newest = document.getElementById('newest');
  #shown = new Map();
  #files;
  #actions;

  /** `actions`: `choose(choice)`, `place()`, `again(id)`. */
  constructor(files, actions) {
    this.#files = files;
    this.#actions = actions;
    this.#newest.addEventListener('click', () => this.#toEnd());
    this.#scroll.addEventListener('scroll', () => {
      if (this.#atEnd()) this.#newest.hidden = true;
    });
    new ResizeObserver(() => this.#follow && this.#toEnd()).observe(this.#scroll);
    this.#scroll.addEventListener('scrollend', () => {
      this.#follow = this.#atEnd();
    });
  }

  #follow = true;

  /** Brings the page to what the transcript says; touches only what changed. */
  show(entries) {
    const follow = this.#atEnd() || this.#shown.size === 0;
    let ours = false;
    const known = new Set(entries.map((entry) => entry.id));
    for (const [id, { element }] of this.#shown) {
      if (!known.has(id)) {
        element.remove();
        this.#shown.delete(id);
      }
    }
    const lastOurs = entries.findLastIndex((entry) => entry.from === 'me');
    let previous = null;
    // What another tab said may belong before what is shown already.
    let place = this.#log.firstElementChild;
    for (const [index, entry] of entries.entries()) {
      let shown = this.#shown.get(entry.id);
      if (!shown) {
        shown = this.#make(entry, previous);
        this.#shown.set(entry.id, shown);
        ours ||= entry.from === 'me';
      }
      if (shown.element === place) place = place.nextElementSibling;
      else this.#log.insertBefore(shown.element, place);
      this.#renew(entry, shown, index > lastOurs);
      previous = entry;
    }
    document.getElementById('intro').classList.toggle('talking', entries.length > 0);
    if (follow || ours) this.#toEnd();
    else this.#newest.hidden = this.#atEnd();
  }

  /** How far a file has come, 0 to 1. */
  progress(id, part) {
    const bar = this.#shown.get(id)?.element.querySelector('progress');
    if (bar) bar.value = part;
  }

  /** Builds everything anew, for another language. */
  renew(entries) {
    this.#shown.clear();
    this.#log.replaceChildren();
    this.show(entries);
  }

  focus() {
    this.#scroll.focus({ preventScroll: true });
  }

  #atEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < 80;
  }

  #toEnd() {
    this.#follow = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#newest.hidden = true;
  }

  #make(entry, previous) {
    const element = make('div', `message ${entry.from}`);
    const who = make('span', 'unseen', `${entry.from === 'me' ? word('me') : document.title}: `);
    const bubble = make('div', 'bubble');
    bubble.append(who, ...(entry.from === 'me' ? this.#ours(entry) : theirs(entry.reply)));
    element.append(bubble);
    const date = new Date(entry.at);
    if (!previous || entry.at - previous.at > 10 * 60_000) {
      const today = date.toDateString() === new Date().toDateString();
      const format = today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
      const locale = document.documentElement.lang === 'en' ? 'en-GB' : 'vi-VN';
      const time = make('time', '', date.toLocaleString(locale, format));
      time.dateTime = date.toISOString();
      element.prepend(time);
    }
    return { element, state: null, choices: null };
  }

  #ours({ id, text, location, file }) {
    const parts = [];
    if (file) parts.push(this.#preview(id, file));
    if (location) {
      const { latitude, longitude, accuracy } = location;
      const figures = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
      const within = accuracy ? ` (${word('accuracy', Math.round(accuracy))})` : '';
      parts.push(make('p', 'place', `${word('place')}: ${figures}${within}`));
    }
    if (text) parts.push(words(text));
    return parts;
  }

  /** What the visitor sent, while this page holds it; afterwards its name. */
  #preview(id, { name, kind }) {
    const held = this.#files.held(id);
    const named = make('p', 'named', `${word(kind)}: ${name}`);
    if (!held || kind === 'file') return named;
    const element = player(kind, URL.createObjectURL(held), named.textContent);
    element.onerror = () => element.replaceWith(named);
    element.onload = () => this.#follow && this.#toEnd();
    return element;
  }

  #renew(entry, shown, current) {
    if (entry.from === 'me' && shown.state !== entry.state) {
      shown.state = entry.state;
      shown.foot?.remove();
      shown.foot = this.#foot(entry);
      shown.element.append(shown.foot);
      shown.element.dataset.state = entry.state;
    }
    if (entry.from === 'them' && current !== (shown.choices !== null)) {
      shown.choices?.remove();
      shown.choices = current ? this.#choices(entry.reply) : null;
      if (shown.choices) shown.element.append(shown.choices);
    }
  }

  #foot({ id, state, reason, file }) {
    const foot = make('div', 'foot');
    if (state === 'failed') {
      const why = reason === 'too_large'
        ? word('tooLarge', Math.floor(document.documentElement.dataset.uploadBytes / 2 ** 20))
        : (word(reason ?? 'failed') ?? word('failed'));
      foot.append(make('span', 'why', why));
      if (reason === 'flooded') {
        const again = make('button', 'again', word('tryAgain'));
        again.type = 'button';
        again.addEventListener('click', () => this.#actions.again(id));
        foot.append(again);
      }
    } else if (state === 'waiting' && file) {
      const bar = make('progress');
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute('aria-label', word('sending'));
      foot.append(bar);
    } else {
      const mark = make('span', 'mark-state', state === 'sent' ? '✓' : '…');
      mark.setAttribute('role', 'img');
      mark.setAttribute('aria-label', word(state));
      foot.append(mark);
    }
    return foot;
  }

  /** What can be tapped under a reply, while it is the last word. */
  #choices(reply) {
    const choices = reply.choices ?? [];
    const place = reply.kind === 'ask_location';
    if (choices.length === 0 && !place) return make('div');
    const shortcuts = reply.kind !== 'choices' || reply.style === 'shortcuts';
    const group = make('div', shortcuts ? 'choices shortcuts' : 'choices');
    if (place) {
      const button = make('button', 'share', word('sharePlace'));
      button.addEventListener('click', () => this.#actions.place());
      group.append(button);
    }
    for (const choice of choices) {
      const button = make('button', 'choice', choice.label);
      button.addEventListener('click', (event) => {
        this.#actions.choose(choice);
        // By keyboard: stay with the conversation, where the next choices come.
        if (event.detail === 0) this.focus();
      });
      group.append(button);
    }
    for (const button of group.children) button.type = 'button';
    return group;
  }
}

function theirs(reply) {
  if (reply.kind !== 'media') return [words(reply.text ?? '')];
  const parts = [medium(reply)];
  if (reply.caption) parts.push(words(reply.caption));
  return parts;
}

function medium({ media, url, caption }) {
  let address;
  try {
    address = new URL(url, location.href);
  } catch {
    return words(url);
  }
  if (address.origin === location.origin && media !== 'file') {
    return player(media, address.href, caption ?? word(media));
  }
  return address.protocol.startsWith('http') ? link(address.href, `${word('open')}: ${word(media)}`) : words(url);
}

/** Shows a picture, or plays a film or recording. */
function player(media, address, label) {
  const element = make({ image: 'img', video: 'video', audio: 'audio' }[media], 'media');
  element.src = address;
  if (media === 'image') element.alt = label;
  else {
    element.controls = true;
    element.preload = 'metadata';
    element.setAttribute('aria-label', label);
  }
  return element;
}

/** A text with its web addresses as links. */
function words(text) {
  const paragraph = make('p', 'words');
  let end = 0;
  for (const { 0: address, index } of text.matchAll(LINK)) {
    paragraph.append(text.slice(end, index), link(address, address));
    end = index + address.length;
  }
  paragraph.append(text.slice(end));
  return paragraph;
}

function link(address, label) {
  const element = make('a', '', label);
  element.href = address;
  element.target = '_blank';
  element.rel = 'noopener noreferrer nofollow';
  return element;
}

export function make(name, classes = '', text = '') {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  return element;
}
