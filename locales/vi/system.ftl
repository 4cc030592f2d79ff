# Lời của hệ thống, tiếng Việt. Mỗi dòng: mã = lời. { $tên } là chỗ chương trình điền vào.

language-name = Tiếng Việt
agency = cơ quan tiếp nhận
hotline = 1022
address = bộ phận tiếp công dân

# Chữ trên nút bấm
skip = Bỏ qua
done = Xong
send = Gửi
change = Sửa
cancel = Hủy
back = Quay lại
menu = Về menu
person = Gặp cán bộ
yes = Có
no = Không
agree = Đồng ý
disagree = Không đồng ý
erase-yes = Xóa hết
erase-no = Không xóa

# Trả lời chưa hiểu, lần đầu
retry-text = Dạ, câu này anh/chị vui lòng trả lời bằng chữ giúp ạ.
retry-text-short = Dạ, câu trả lời hơi ngắn. Anh/chị viết rõ thêm một chút giúp ạ (ít nhất { $min } ký tự).
retry-text-long = Dạ, câu trả lời hơi dài. Anh/chị viết gọn lại giúp ạ (nhiều nhất { $max } ký tự).
retry-choice = Dạ, chúng tôi chưa hiểu ý anh/chị. Anh/chị chọn một mục bên dưới, hoặc trả lời bằng số thứ tự ạ.
retry-choice-several = Dạ, ý anh/chị là mục nào dưới đây ạ?
retry-choices = Dạ, chúng tôi chưa hiểu ý anh/chị. Anh/chị trả lời bằng số của các mục, ví dụ: 1, 3.
retry-choices-count = Dạ, anh/chị chọn từ { $min } đến { $max } mục giúp ạ.
retry-yes-no = Dạ, anh/chị trả lời Có hoặc Không giúp ạ.
retry-number = Dạ, anh/chị trả lời bằng một con số giúp ạ, ví dụ: 20.
retry-number-whole = Dạ, anh/chị trả lời bằng một số nguyên giúp ạ, ví dụ: 20.
retry-number-range = Dạ, con số nằm trong khoảng từ { $min } đến { $max } ạ.
retry-number-low = Dạ, con số ít nhất là { $min } ạ.
retry-number-high = Dạ, con số nhiều nhất là { $max } ạ.
retry-rating = Dạ, anh/chị cho điểm từ 1 đến { $max } giúp ạ.
retry-date = Dạ, chúng tôi chưa rõ ngày. Anh/chị trả lời ví dụ: hôm nay, hôm qua, hoặc 21/11.
retry-date-early = Dạ, ngày cần từ { $min } trở đi ạ.
retry-date-late = Dạ, ngày không sau { $max } ạ.
retry-phone = Dạ, số điện thoại chưa đúng. Anh/chị kiểm tra lại giúp ạ, ví dụ: 0912 345 678.
retry-email = Dạ, địa chỉ email chưa đúng. Anh/chị kiểm tra lại giúp ạ, ví dụ: ten@vidu.vn.
retry-location = Dạ, chúng tôi chưa rõ nơi này. Anh/chị gửi vị trí, hoặc gõ số nhà, tên đường, phường xã giúp ạ.
retry-media = Dạ, câu này anh/chị gửi { $kinds } giúp ạ.
retry-consent = Dạ, anh/chị trả lời Đồng ý hoặc Không đồng ý giúp ạ.
retry-review = Dạ, anh/chị nhắn GỬI để gửi, hoặc số của mục cần sửa ạ.

# Lần thứ hai: có ví dụ
help-text = Anh/chị viết như đang kể cho người quen nghe là được ạ.
help-choice = Ví dụ, muốn chọn mục đầu tiên thì nhắn số 1.
help-choices = Ví dụ, muốn chọn mục 1 và mục 3 thì nhắn: 1, 3.
help-yes-no = Nhắn 1 là Có, nhắn 2 là Không.
help-number = Ví dụ: 20, hoặc 1,5.
help-rating = Ví dụ, nhắn số 4.
help-date = Ví dụ: hôm nay, hôm qua, 21/11, 21/11/2026.
help-phone = Ví dụ: 0912345678.
help-email = Ví dụ: ten@vidu.vn.
help-location = Ví dụ: trước số 12 Nguyễn Trãi, phường Cái Khế.
help-media = Anh/chị bấm nút đính kèm (hình cái kẹp hoặc máy ảnh) rồi chọn tệp ạ.
help-consent = Nhắn 1 là Đồng ý, nhắn 2 là Không đồng ý.
help-review = Nhắn GỬI để gửi. Nhắn một con số để sửa mục đó. Nhắn HỦY để bỏ.

# Lần thứ ba
stuck = Dạ, xin lỗi anh/chị vì chưa hiểu được. Anh/chị muốn làm gì tiếp ạ?

# Xem lại trước khi gửi
review-title = Anh/chị kiểm tra lại giúp ạ:
review-how = Nhắn GỬI để gửi. Cần sửa mục nào, nhắn số của mục đó. Nhắn HỦY để bỏ.
review-which = Dạ, anh/chị muốn sửa mục số mấy ạ? Nhắn GỬI nếu không sửa nữa.
review-none = (bỏ qua)
review-media = { $count } tệp
review-location = Vị trí đã chia sẻ

# Ảnh, vị trí, nội dung khác
media-received = Dạ, đã nhận { $count } tệp. Anh/chị gửi thêm, hoặc nhắn XONG.
media-kept = Dạ, đã nhận tệp của anh/chị.
media-full = Dạ, đã đủ { $max } tệp, nên tệp gửi sau không được lưu ạ.
location-kept = Dạ, đã nhận vị trí của anh/chị.
kept = Dạ, đã nhận nội dung của anh/chị.
unsupported = Dạ, chúng tôi chưa đọc được nội dung này.
text-cut = Dạ, tin nhắn dài quá nên chúng tôi chỉ giữ { $max } ký tự đầu. Phần còn lại anh/chị gửi thành tin sau giúp ạ.
kind-image = ảnh
kind-video = video
kind-audio = ghi âm
kind-file = tệp

# Các lời đi lại
cancelled = Dạ, đã hủy. Những gì anh/chị vừa nhập không được gửi đi. Khi cần, anh/chị nhắn MENU.
nothing-to-cancel = Dạ, hiện không có nội dung nào đang nhập dở. Anh/chị nhắn MENU để bắt đầu.
no-back = Dạ, đây là câu đầu tiên rồi ạ.
cannot-skip = Dạ, câu này cần có câu trả lời nên chưa bỏ qua được ạ.
help-general = Anh/chị có thể nhắn bất cứ lúc nào: QUAY LẠI, BỎ QUA, SỬA, HỦY BỎ, LÀM LẠI, MENU, NGÔN NGỮ, GẶP CÁN BỘ, XEM DỮ LIỆU, XÓA DỮ LIỆU.
stopped = Dạ, đã ngưng. Khi cần, anh/chị nhắn MENU.
old-button = Dạ, nút này thuộc một nội dung đã kết thúc nên không dùng được nữa ạ.
answer-changed = Dạ, đã đổi câu trả lời: { $label }.
edited = Dạ, đã cập nhật theo tin nhắn anh/chị vừa sửa.
migrated = Dạ, mẫu câu hỏi vừa được cập nhật. Các câu trả lời của anh/chị vẫn được giữ.
flow-gone = Dạ, mục anh/chị đang làm hiện không còn nữa. Xin lỗi anh/chị về sự bất tiện này.
received = Dạ, đã tiếp nhận. Mã của anh/chị là { $code }. Cảm ơn anh/chị!
finished = Dạ, xong rồi ạ. Cảm ơn anh/chị!
refused = Chúng tôi tôn trọng lựa chọn của anh/chị và không lưu nội dung này. Anh/chị có thể gọi { $hotline } hoặc đến { $address }.

# Gặp cán bộ
person-soon = Dạ, chúng tôi đã chuyển cho cán bộ. Cán bộ sẽ trả lời anh/chị tại đây. Muốn quay lại trợ lý tự động, anh/chị nhắn MENU.
person-hotline = Dạ, để gặp cán bộ, anh/chị gọi { $hotline } hoặc đến { $address } ạ.

# Ngôn ngữ
language-ask = Anh/chị chọn ngôn ngữ:
language-changed = Dạ, từ bây giờ chúng ta dùng tiếng Việt.

# Dữ liệu cá nhân
erase-ask = Anh/chị muốn xóa mọi dữ liệu của mình ở đây, kể cả nội dung đang nhập dở? Việc này không hoàn lại được.
erased = Dạ, dữ liệu của anh/chị ở đây đã được xóa.
erase-kept = Dạ, chúng tôi không xóa gì cả.
data-none = Dạ, chúng tôi không lưu phản ánh nào của anh/chị từ kênh này.
data-list = Dạ, các nội dung anh/chị đã gửi từ kênh này:
data-item = { $code }: { $title }, ngày { $date }
data-open = Nội dung đang nhập dở: { $title }, { $count } câu trả lời.
data-erase = Muốn xóa, anh/chị nhắn XÓA DỮ LIỆU.

# Tin tự động
flood = Dạ, anh/chị gửi nhanh quá nên chúng tôi chưa nhận kịp. Anh/chị chờ một chút rồi gửi tiếp giúp ạ.
reminder = Anh/chị đang nhập dở { $title }. Nhắn TIẾP để làm tiếp, hoặc HỦY BỎ để bỏ.
expired = Nội dung anh/chị nhập dở đã lâu nên chúng tôi xin phép đóng lại. Khi cần, anh/chị nhắn MENU.
opted-out = Dạ, chúng tôi sẽ không gửi thông báo đến đây nữa. Anh/chị vẫn nhắn được khi cần; nhắn START để nhận lại thông báo ạ.
opted-in = Dạ, từ nay anh/chị lại nhận được thông báo ở đây ạ.

# Đánh giá một thông báo, như cơ quan đọc
feedback-title = Đánh giá: { $title }
feedback-ticket = Mã phản ánh
feedback-rating = Số sao
feedback-choices = Lựa chọn
feedback-text = Ý kiến

# Từ khóa: cả tin nhắn là một trong các cụm này, có dấu hay không đều được.
# "-sure" là các cụm đủ rõ để hiểu cả khi đang hỏi một câu trả lời tự do.
words-back = quay lại, trở lại, lùi lại, câu trước
words-back-sure = quay lại, câu trước
words-skip = bỏ qua, bỏ
words-skip-sure = bỏ qua
words-change = sửa, sửa lại, đổi, đổi câu trả lời, xem lại
words-change-sure = sửa câu trả lời, đổi câu trả lời
words-cancel = hủy, hủy bỏ
words-cancel-sure = hủy bỏ
words-restart = làm lại, bắt đầu lại, bắt đầu, làm lại từ đầu
words-restart-sure = làm lại từ đầu
words-menu = menu, danh mục, về menu, trang chủ
words-menu-sure = menu, về menu
words-help = giúp, trợ giúp, hướng dẫn, giúp tôi
words-help-sure = trợ giúp
words-language = ngôn ngữ, đổi ngôn ngữ
words-language-sure = đổi ngôn ngữ
words-person = cán bộ, gặp cán bộ, gặp người, nhân viên, gặp nhân viên, tổng đài viên
words-person-sure = gặp cán bộ, gặp nhân viên
words-erase = xóa dữ liệu, xóa dữ liệu của tôi
words-erase-sure = xóa dữ liệu, xóa dữ liệu của tôi
words-data = xem dữ liệu, dữ liệu của tôi, xem dữ liệu của tôi
words-data-sure = xem dữ liệu, xem dữ liệu của tôi
words-stop = ngưng, ngừng, từ chối nhận tin
words-stop-sure = ngưng, ngừng, từ chối nhận tin
words-continue = tiếp, tiếp tục
words-done = xong, xong rồi, hết, hết rồi, đủ rồi
words-send = gửi, gửi đi, gửi luôn, đúng rồi gửi đi
words-switch = tiếng việt, vietnamese
