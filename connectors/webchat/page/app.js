// The page: puts its parts together.

import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { Files, Keep, Transcript, newId, visitor } from './keep.js';
import { Outbox } from './outbox.js';
import { View } from './view.js';
import { speak, spoken, word } from './words.js';

const get = (id) => document.getElementById(id);
const { path, languages, wished } = document.documentElement.dataset;
const query = new URLSearchParams(location.search);
const embedded = query.has('embed');

const keep = new Keep(`langnghe:${path}:`);
speak(wished || keep.get('language', document.documentElement.lang));

const files = new Files(`langnghe:${path}`);
const transcript = new Transcript(keep, () => view.show(transcript.entries()));
const connection = new Connection({
  path,
  visitor: () => visitor(keep),
  language: spoken,
  polling: query.get('transport') === 'poll',
  onstate,
  onframe,
});
const outbox = new Outbox({
  connection,
  transcript,
  files,
  visitor: () => visitor(keep),
  progress: (id, part) => view.progress(id, part),
});
const view = new View(files, {
  choose: ({ label, payload }) => send({ text: label, payload }),
  place: () => composer.place(),
  again: (id) => {
    transcript.update(id, { state: 'waiting', reason: undefined });
    outbox.flush();
  },
});
const composer = new Composer(send);

/** Keeps a message, shows it, and sends it when it can. */
async function send({ text, payload, location, file }) {
  const id = newId();
  const entry = { id, from: 'me', state: 'waiting', text, payload, location };
  if (file) {
    const family = file.type.split('/')[0];
    const kind = ['image', 'video', 'audio'].includes(family) ? family : 'file';
    entry.file = { name: file.name, kind };
    // Shown at once; it is on disk before it can be sent.
    const kept = files.put(id, file);
    transcript.add(entry);
    await kept;
  } else {
    transcript.add(entry);
  }
  outbox.flush();
}

let typing;

function showTyping(shown) {
  clearTimeout(typing);
  get('typing').hidden = !shown;
  if (shown) typing = setTimeout(() => showTyping(false), 8000);
}

async function onframe(frame) {
  if (frame.type === 'typing') showTyping(true);
  if (frame.type === 'reply') {
    showTyping(false);
    transcript.addReply(frame.id, frame.reply);
    await connection.acknowledge(frame.id);
  }
  if (frame.type === 'error') composer.notice(word(frame.reason) ?? word('failed'));
}

function onstate(state) {
  const known = ['online', 'connecting', 'replaced'].includes(state) ? state : 'offline';
  get('state').dataset.state = known;
  get('state-words').textContent = word(known);
  if (state === 'online') outbox.flush();
}

// Another window took this one's place: come back when the visitor does.
addEventListener('focus', () => connection.state === 'replaced' && connection.start());
document.addEventListener('pointerdown', () => connection.state === 'replaced' && connection.start());

keep.watch((name, before, now) => {
  // Another tab: it said something, or the visitor deleted everything there.
  if (name === null || name === 'visitor') {
    // What this tab wrote before it saw that goes as well.
    if (!now) keep.clear();
    location.reload();
  } else if (transcript.holds(name)) {
    transcript.keepPlace(name, before, now);
    view.show(transcript.entries());
    outbox.flush();
  }
});

const other = languages.split(' ').find((language) => language !== spoken());
get('language').hidden = !other;
get('language').addEventListener('click', () => {
  speak(languages.split(' ').find((language) => language !== spoken()));
  keep.set('language', spoken());
  nameSwitch();
  onstate(connection.state);
  view.renew(transcript.entries());
});

function nameSwitch() {
  get('language').textContent = word('switchTo');
  get('language').lang = spoken() === 'vi' ? 'en' : 'vi';
}

get('begin').addEventListener('click', () => {
  send({ text: word('begin') });
  view.focus();
});

get('forget').addEventListener('click', () => {
  const dialog = get('forget-dialog');
  dialog.showModal();
  dialog.onclose = async () => {
    if (dialog.returnValue !== 'yes') return;
    connection.stop();
    await files.clear();
    keep.clear();
    location.reload();
  };
});

if (embedded) {
  document.documentElement.classList.add('embedded');
  const close = () => parent.postMessage({ langnghe: 'close' }, '*');
  get('close').hidden = false;
  get('close').setAttribute('aria-label', word('close'));
  get('close').addEventListener('click', close);
  addEventListener('keydown', (event) => event.key === 'Escape' && close());
}

nameSwitch();
onstate('connecting');
view.show(transcript.entries());
connection.start();
