// What the interface says, in Vietnamese and English. What the agency says comes from its flows.

const words = {
  vi: {
    accuracy: (metres) => `sai số ${metres} m`,
    attached: 'Tệp sẽ gửi',
    audio: 'Ghi âm',
    begin: 'Bắt đầu',
    cancel: 'Thôi',
    close: 'Đóng',
    connecting: 'Đang kết nối…',
    conversation: 'Cuộc trò chuyện',
    drop: 'Bỏ',
    failed: 'Chưa gửi được.',
    file: 'Tệp',
    finish: 'Xong',
    flooded: 'Anh/chị gửi nhanh quá. Chờ một chút rồi gửi lại giúp ạ.',
    forget: 'Xóa trên máy này',
    forgetWords: 'Tin nhắn sẽ bị xóa khỏi máy này và không xem lại được. Phản ánh đã gửi vẫn được giữ.',
    forgetYes: 'Xóa',
    image: 'Ảnh',
    introduction: 'Anh/chị phản ánh sự cố, góp ý hoặc hỏi thủ tục ngay tại đây. Không cần tài khoản.',
    kind: 'Loại tệp này không nhận được. Anh/chị gửi ảnh, video, ghi âm hoặc PDF giúp ạ.',
    left: (count) => `Còn ${count} ký tự`,
    lost: 'Tệp này không còn trên máy. Anh/chị chọn lại giúp ạ.',
    malformed: 'Tin nhắn này không gửi được.',
    me: 'Anh/chị',
    more: 'Gửi ảnh, vị trí, ghi âm',
    newest: 'Xuống tin mới nhất',
    noMicrophone: 'Không dùng được micrô. Anh/chị cho phép micrô trong trình duyệt, hoặc nhắn chữ giúp ạ.',
    noPlace: 'Không lấy được vị trí. Anh/chị nhập địa chỉ hoặc tên đường giúp ạ.',
    noPlaceAllowed: 'Trình duyệt chưa cho phép lấy vị trí. Anh/chị nhập địa chỉ hoặc tên đường giúp ạ.',
    offline: 'Mất kết nối. Tin nhắn được giữ và sẽ tự gửi.',
    online: 'Đang trực tuyến',
    open: 'Mở',
    over: (count) => `Dài quá ${count} ký tự`,
    photo: 'Ảnh, video',
    place: 'Vị trí của tôi',
    placing: 'Đang lấy vị trí…',
    privacy: 'Tin nhắn chỉ lưu trên máy này và ở cơ quan tiếp nhận.',
    recording: 'Đang ghi âm',
    remove: (name) => `Bỏ ${name}`,
    replaced: 'Cuộc trò chuyện đang mở ở cửa sổ khác. Bấm vào đây để dùng tiếp.',
    send: 'Gửi',
    sending: 'Đang gửi',
    sent: 'Đã gửi',
    sharePlace: 'Gửi vị trí của tôi',
    tooLarge: (megabytes) => `Tệp lớn quá ${megabytes} MB nên không gửi được.`,
    tooMany: (count) => `Mỗi lần gửi được ${count} tệp.`,
    too_long: 'Tin nhắn dài quá.',
    tryAgain: 'Gửi lại',
    typing: 'Đang trả lời…',
    video: 'Video',
    visitor: 'Không nhận ra máy này. Anh/chị tải lại trang giúp ạ.',
    voice: 'Ghi âm',
    waiting: 'Chờ gửi',
    welcome: 'Kính chào anh/chị!',
    write: 'Nhắn tin…',
    switchTo: 'English',
  },
  en: {
    accuracy: (metres) => `within ${metres} m`,
    attached: 'Files to send',
    audio: 'Recording',
    begin: 'Start',
    cancel: 'Cancel',
    close: 'Close',
    connecting: 'Connecting…',
    conversation: 'Conversation',
    drop: 'Discard',
    failed: 'Not sent.',
    file: 'File',
    finish: 'Done',
    flooded: 'That was a lot at once. Please wait a moment and send it again.',
    forget: 'Delete on this device',
    forgetWords: 'The messages are deleted from this device and cannot be read again. Reports that you sent are kept.',
    forgetYes: 'Delete',
    image: 'Photo',
    introduction: 'Report a problem, make a suggestion or ask about a procedure right here. No account is needed.',
    kind: 'This kind of file is not accepted. Please send a photo, video, recording or PDF.',
    left: (count) => `${count} characters left`,
    lost: 'This file is no longer on the device. Please choose it again.',
    malformed: 'This message cannot be sent.',
    me: 'You',
    more: 'Send a photo, your location, a recording',
    newest: 'Go to the newest message',
    noMicrophone: 'The microphone cannot be used. Please allow it in the browser, or write instead.',
    noPlace: 'Your location could not be found. Please type the address or the street.',
    noPlaceAllowed: 'The browser does not allow your location. Please type the address or the street.',
    offline: 'No connection. Messages are kept and will be sent.',
    online: 'Online',
    open: 'Open',
    over: (count) => `Longer than ${count} characters`,
    photo: 'Photo, video',
    place: 'My location',
    placing: 'Finding your location…',
    privacy: 'Messages are kept on this device and at the agency only.',
    recording: 'Recording',
    remove: (name) => `Remove ${name}`,
    replaced: 'The chat is open in another window. Press here to use it in this one.',
    send: 'Send',
    sending: 'Sending',
    sent: 'Sent',
    sharePlace: 'Share my location',
    tooLarge: (megabytes) => `The file is larger than ${megabytes} MB and cannot be sent.`,
    tooMany: (count) => `You can send ${count} files at a time.`,
    too_long: 'The message is too long.',
    tryAgain: 'Send again',
    typing: 'Writing…',
    video: 'Video',
    visitor: 'This device was not recognised. Please load the page again.',
    voice: 'Voice message',
    waiting: 'Waiting to be sent',
    welcome: 'Welcome!',
    write: 'Write a message…',
    switchTo: 'Tiếng Việt',
  },
};

let language = 'vi';

/** Sets the language of the interface and words everything that is on the page. */
export function speak(wanted) {
  language = words[wanted] ? wanted : 'vi';
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = word(element.dataset.word);
  }
  for (const element of document.querySelectorAll('[data-label]')) {
    element.setAttribute('aria-label', word(element.dataset.label));
  }
  for (const element of document.querySelectorAll('[data-placeholder]')) {
    element.placeholder = word(element.dataset.placeholder);
  }
}

/** A word of the interface. */
export function word(name, ...values) {
  const found = words[language][name];
  return typeof found === 'function' ? found(...values) : found;
}

/** The language of the interface now. */
export function spoken() {
  return language;
}
