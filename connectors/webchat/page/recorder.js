// A voice message from the microphone.

const LONGEST = 120_000;

export const canRecord = Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

/** Records until `finish` or `drop`, two minutes at the most. */
export class Recording {
  #recorder;
  #stream;
  #parts = [];
  #timer;
  #done;

  /** `ontime(seconds)` is called each second, `onend(file)` once; `file` is `null` when dropped. */
  static async start(ontime, onend) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return new Recording(stream, ontime, onend);
  }

  constructor(stream, ontime, onend) {
    this.#stream = stream;
    this.#done = onend;
    this.#recorder = new MediaRecorder(stream);
    this.#recorder.ondataavailable = ({ data }) => this.#parts.push(data);
    this.#recorder.onstop = () => this.#end(true);
    this.#recorder.start();
    const began = Date.now();
    this.#timer = setInterval(() => {
      const time = Date.now() - began;
      ontime(Math.floor(time / 1000));
      if (time >= LONGEST) this.finish();
    }, 250);
  }

  finish() {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  drop() {
    this.#recorder.onstop = null;
    this.finish();
    this.#end(false);
  }

  #end(keep) {
    clearInterval(this.#timer);
    for (const track of this.#stream.getTracks()) track.stop();
    const type = this.#recorder.mimeType || 'audio/webm';
    const extension = type.includes('mp4') ? 'm4a' : type.includes('ogg') ? 'ogg' : 'webm';
    this.#done(keep ? new File(this.#parts, `voice.${extension}`, { type }) : null);
  }
}
