// The web chat on an agency's portal: a button that opens it in a frame.
//   <script src="https://gop-y.example.vn/chat/widget.js" data-lang="vi" data-label="Góp ý" defer></script>
// The portal's origin must stand in the channel's `allow_frames`.
(() => {
  const script = document.currentScript;
  if (!script || window.langngheWidget) return;
  window.langngheWidget = true;
  const english = (script.dataset.lang ?? document.documentElement.lang ?? '').startsWith('en');
  const label = script.dataset.label || (english ? 'Chat with us' : 'Phản ánh, góp ý');
  const chat = new URL('.', script.src).href.replace(/\/$/, '');
  const origin = new URL(chat).origin;
  const narrow = matchMedia('(max-width: 560px)');

  const style = (element, rules) => Object.assign(element.style, rules);

  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = label;
  button.setAttribute('aria-expanded', 'false');
  style(button, {
    position: 'fixed', right: '20px', bottom: '20px', zIndex: '2147483000',
    minHeight: '52px', padding: '0 22px', border: '0', borderRadius: '26px',
    background: '#0b5563', color: '#fff', font: '600 16px/1 system-ui, sans-serif',
    boxShadow: '0 6px 24px rgb(0 0 0 / 28%)', cursor: 'pointer',
  });

  let frame = null;

  function place() {
    style(frame, narrow.matches
      ? { inset: '0', width: '100%', height: '100%', borderRadius: '0' }
      : { inset: 'auto 20px 20px auto', width: '400px', height: 'min(680px, calc(100vh - 40px))', borderRadius: '18px' });
  }

  function open() {
    if (!frame) {
      frame = document.createElement('iframe');
      frame.title = label;
      frame.allow = 'geolocation; microphone';
      frame.src = `${chat}?embed=1${english ? '&lang=en' : ''}`;
      style(frame, {
        position: 'fixed', zIndex: '2147483001', border: '0', background: '#fff',
        boxShadow: '0 12px 48px rgb(0 0 0 / 32%)',
      });
      narrow.addEventListener('change', place);
      document.body.append(frame);
    }
    place();
    frame.style.display = 'block';
    button.style.display = 'none';
    button.setAttribute('aria-expanded', 'true');
    frame.focus();
  }

  function close() {
    frame.style.display = 'none';
    button.style.display = '';
    button.setAttribute('aria-expanded', 'false');
    button.focus();
  }

  button.addEventListener('click', open);
  addEventListener('message', (event) => {
    const ours = frame && event.source === frame.contentWindow && event.origin === origin;
    if (ours && event.data?.langnghe === 'close') close();
  });
  document.body.append(button);
})();
