//! Whole conversations with the project's own flows.

use crate::citizen::{Citizen, NOW, photo, place, project};
use langnghe_flow::Library;
use langnghe_model::{
    EventId, EventKind, Reply,
    event::{Attachment, Contact, MediaKind},
};

/// A citizen who was asked what the matter is.
fn reporting(library: &Library) -> Citizen<'_> {
    let mut citizen = Citizen::new(library);
    citizen.says("phan anh");
    citizen
}

/// A citizen before the review.
fn reviewing(library: &Library) -> Citizen<'_> {
    let mut citizen = reporting(library);
    for text in [
        "đèn đường hỏng 3 ngày rồi",
        "trước số 12 Nguyễn Trãi",
        "0",
        "Lê Văn Huy",
        "0912345678",
        "có",
    ] {
        citizen.says(text);
    }
    let said = citizen.says("đồng ý");
    assert!(said.contains("1. Sự việc"), "{said}");
    citizen
}

#[test]
fn a_report_without_diacritics() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    for (text, expected) in [
        ("xin chao", "Kính chào"),
        ("1", "sự việc gì"),
        ("den duong hong 3 ngay roi", "ở đâu"),
        ("truoc so 12 nguyen trai", "ảnh, video"),
        ("0", "họ tên"),
        ("Tran Van Huy", "số điện thoại"),
        ("0912 345 678", "công khai"),
        ("da co a", "đồng ý"),
        ("dong y", "1. Sự việc: den duong hong"),
        ("gui", "CT-10"),
    ] {
        let said = citizen.says(text);
        assert!(said.contains(expected), "{text:?} was answered by {said:?}");
    }
    let ticket = citizen.tickets.last().expect("a ticket");
    assert_eq!(ticket.code, "CT-10");
    assert_eq!(ticket.flow, "hien-truong");
    assert_eq!(
        ticket
            .backend
            .as_ref()
            .map(langnghe_model::BackendId::as_str),
        Some("ioc")
    );
    assert_eq!(ticket.service.as_deref(), Some("DEN_DUONG"));
    assert!(!ticket.urgent);
    let personal: Vec<&str> = ticket
        .answers
        .iter()
        .filter(|answer| answer.personal)
        .map(|answer| answer.question.as_str())
        .collect();
    assert_eq!(personal, ["ho_ten", "dien_thoai"]);
    assert_eq!(
        citizen.ticket("dien_thoai").as_deref(),
        Some("0912 345 678")
    );
    assert!(citizen.session.is_none(), "nothing is left to remember");
    assert_eq!(citizen.timer, None, "the timer was taken back");
}

#[test]
fn a_report_in_english() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    for (text, expected) in [
        ("english", "We will use English"),
        ("report a problem", "What is the problem?"),
        ("Big pothole in front of the market", "Where is it?"),
        ("12 Nguyen Trai street", "photos, video"),
        ("skip", "your name"),
        ("skip", "phone number"),
        ("skip", "May we publish"),
        ("no", "Do you agree?"),
        ("I agree", "3. Field: Roads"),
        ("send", "Your code is CT-10"),
    ] {
        let said = citizen.says(text);
        assert!(said.contains(expected), "{text:?} was answered by {said:?}");
    }
    let ticket = citizen.tickets.last().expect("a ticket");
    assert_eq!(ticket.language, "en");
    assert_eq!(
        ticket.title, "Phản ánh hiện trường",
        "agencies read their own language"
    );
    assert_eq!(
        citizen.ticket("nhom").as_deref(),
        Some("Đường, vỉa hè, đèn, cống")
    );
    let greeting = citizen.says("hello");
    assert!(
        greeting.contains("What would you like"),
        "the language is remembered: {greeting}"
    );
}

#[test]
fn a_photo_first() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let said = citizen.sends(None, vec![photo("https://x/1.jpg")]);
    assert!(said.contains("sự việc gì"), "{said}");
    let said = citizen.says("cây ngã chắn ngang đường");
    assert!(said.contains("ở đâu"), "{said}");
    let said = citizen.sends(None, vec![place()]);
    assert!(
        said.contains("họ tên"),
        "neither category nor photo is asked again: {said}"
    );
    for text in ["bỏ qua", "bỏ qua", "không", "đồng ý", "gửi"] {
        citizen.says(text);
    }
    let ticket = citizen.tickets.last().expect("a ticket");
    let photo = ticket
        .answers
        .iter()
        .find(|answer| answer.question == "anh")
        .expect("the photo");
    assert_eq!(photo.media[0].kind, MediaKind::Image);
    let place = ticket
        .answers
        .iter()
        .find(|answer| answer.question == "vi_tri")
        .expect("the place");
    assert_eq!(place.value["latitude"], 10.0341);
    assert_eq!(ticket.service.as_deref(), Some("CAY_XANH"));
}

#[test]
fn a_sentence_first() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let said = citizen.says("Rác đổ trộm cả tuần nay ở đầu hẻm 5 không ai dọn");
    assert!(
        said.contains("đã nhận nội dung") && said.contains("ở đâu"),
        "{said}"
    );
    citizen.says("hẻm 5 đường 3/2");
    for text in ["0", "bỏ qua", "bỏ qua", "ừ", "ok", "gửi"] {
        citizen.says(text);
    }
    assert_eq!(citizen.tickets[0].service.as_deref(), Some("RAC"));
    assert!(
        citizen
            .ticket("mo_ta")
            .is_some_and(|text| text.starts_with("Rác đổ trộm"))
    );
}

#[test]
fn a_phone_number_in_the_first_sentence_is_not_asked_for() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    citizen.says("Tôi bị mất nước 3 ngày nay, điện thoại 0912 345 678");
    for text in ["hẻm 3 Trần Phú", "0", "bỏ qua"] {
        citizen.says(text);
    }
    citizen.says("không");
    let said = citizen.says("đồng ý");
    assert!(said.contains("7. Điện thoại: 0912 345 678"), "{said}");
    // A hint alone opens the flow; nothing is said to be kept.
    let mut citizen = Citizen::new(&library);
    let said = citizen.says("toi muon bao ve viec o ga");
    assert!(
        !said.contains("đã nhận") && said.contains("sự việc gì"),
        "{said}"
    );
}

#[test]
fn several_attachments_and_words_in_one_message_fill_several_questions() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let said = citizen.sends(
        Some("Ngập nước cả tuyến đường không đi được"),
        vec![photo("https://x/1.jpg"), photo("https://x/2.jpg"), place()],
    );
    assert!(said.contains("họ tên"), "{said}");
    for text in ["0", "bo qua", "bo qua", "co", "dong y"] {
        citizen.says(text);
    }
    let said = citizen.says("gui");
    assert!(said.contains("Mã phản ánh"), "{said}");
    assert_eq!(citizen.ticket("anh").as_deref(), Some("2 tệp"));
}

#[test]
fn a_phrase_alone_is_no_description() {
    let library = project();
    for text in [
        "Phản ánh",
        "Tôi muốn phản ánh sự cố ạ",
        "cho em hỏi phản ánh với ạ",
    ] {
        let mut citizen = Citizen::new(&library);
        let said = citizen.says(text);
        assert!(said.contains("sự việc gì"), "{text:?}: {said}");
    }
    let mut citizen = Citizen::new(&library);
    let said = citizen.says("toi muon phan anh nap cong bi vo truoc cho");
    assert!(said.contains("ở đâu"), "{said}");
}

#[test]
fn a_pattern_fills_its_group_with_the_words_as_written() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let said = citizen.says("PA nắp cống vỡ");
    assert!(said.contains("ở đâu"), "{said}");
    for text in [
        "12 Nguyễn Trãi",
        "0",
        "bo qua",
        "bo qua",
        "co",
        "dong y",
        "gui",
    ] {
        citizen.says(text);
    }
    assert_eq!(citizen.ticket("mo_ta").as_deref(), Some("nắp cống vỡ"));
}

#[test]
fn an_answer_is_changed_by_its_number() {
    let library = project();
    let mut citizen = reviewing(&library);
    let said = citizen.says("2");
    assert!(said.contains("ở đâu"), "{said}");
    let said = citizen.says("số 15 Hai Bà Trưng");
    assert!(said.contains("2. Địa điểm: số 15 Hai Bà Trưng"), "{said}");
    let said = citizen.says("sửa 3");
    assert!(said.contains("lĩnh vực nào"), "{said}");
    let said = citizen.says("rác");
    assert!(
        said.contains("Cụ thể"),
        "the second level is asked anew: {said}"
    );
    let said = citizen.says("tiếng ồn");
    assert!(said.contains("4. Loại việc: Tiếng ồn"), "{said}");
    assert!(
        !said.contains("Cho đăng công khai"),
        "private kinds are never published: {said}"
    );
    let said = citizen.says("sửa");
    assert!(said.contains("mục số mấy"), "{said}");
    let said = citizen.says("6");
    assert!(said.contains("họ tên"), "{said}");
    citizen.says("bỏ qua");
    citizen.says("gửi");
    let ticket = &citizen.tickets[0];
    assert_eq!(ticket.service.as_deref(), Some("TIENG_ON"));
    assert!(
        ticket
            .answers
            .iter()
            .all(|answer| answer.question != "ha_tang"),
        "nothing stale is sent"
    );
    assert_eq!(
        citizen.ticket("vi_tri").as_deref(),
        Some("số 15 Hai Bà Trưng")
    );
    assert_eq!(citizen.ticket("ho_ten"), None);
}

#[test]
fn nothing_is_sent_before_everything_is_answered() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("đèn đường hỏng");
    for text in ["gửi", "có", "tiếp"] {
        let said = citizen.taps_payload("Sửa", "w/change");
        assert!(said.contains("mục số mấy"), "{said}");
        let said = citizen.says(text);
        assert!(said.contains("ở đâu"), "{text:?}: {said}");
        assert!(citizen.tickets.is_empty());
    }
    let said = citizen.taps_payload("Gửi", "send");
    assert!(
        said.contains("ở đâu") && citizen.tickets.is_empty(),
        "{said}"
    );
}

#[test]
fn english_counts_files() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("english");
    citizen.says("street light broken");
    citizen.says("12 Nguyen Trai");
    let said = citizen.sends(None, vec![photo("https://x/1.jpg")]);
    assert!(said.contains("Got 1 file."), "{said}");
    let said = citizen.sends(None, vec![photo("https://x/2.jpg")]);
    assert!(said.contains("Got 2 files."), "{said}");
}

#[test]
fn back_goes_back() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("đèn đường hỏng");
    let said = citizen.says("quay lại");
    assert!(said.contains("sự việc gì"), "{said}");
    let said = citizen.says("quay lại");
    assert!(said.contains("câu đầu tiên"), "{said}");
    let said = citizen.says("đèn đường hỏng từ thứ hai");
    assert!(said.contains("ở đâu"), "{said}");
}

#[test]
fn cancel_drops_everything_and_huy_is_a_name() {
    let library = project();
    let mut citizen = reporting(&library);
    for text in ["đèn đường hỏng", "12 Nguyễn Trãi", "0"] {
        citizen.says(text);
    }
    let said = citizen.says("Huy");
    assert!(said.contains("số điện thoại"), "Huy is a name: {said}");
    let said = citizen.says("hủy");
    assert!(said.contains("đã hủy"), "{said}");
    assert!(citizen.session.is_none());
    assert!(citizen.tickets.is_empty());
}

#[test]
fn who_does_not_agree_is_let_go_and_nothing_is_kept() {
    let library = project();
    let mut citizen = reporting(&library);
    for text in [
        "đèn đường hỏng",
        "12 Nguyễn Trãi",
        "0",
        "bỏ qua",
        "bỏ qua",
        "có",
    ] {
        citizen.says(text);
    }
    let said = citizen.says("không đồng ý");
    assert!(
        said.contains("tôn trọng") && said.contains("1900 1075"),
        "{said}"
    );
    assert!(citizen.session.is_none() && citizen.tickets.is_empty());
}

#[test]
fn danger_to_life_is_met_with_the_numbers_before_any_question() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let said = citizen.says("Cuu voi dang chay nha o hem 12 nguyen trai");
    let numbers = said.find("114").expect("the numbers");
    assert!(
        numbers < said.find("ở đâu").expect("the question"),
        "{said}"
    );
    for text in [
        "hem 12 nguyen trai",
        "0",
        "bo qua",
        "bo qua",
        "co",
        "dong y",
        "gui",
    ] {
        let said = citizen.says(text);
        assert!(!said.contains("114"), "once is enough: {said}");
    }
    assert!(citizen.tickets[0].urgent);
    // "chạy" alone is no fire.
    let mut citizen = Citizen::new(&library);
    assert!(
        !citizen
            .says("Xe máy chạy ngược chiều mỗi sáng ở đường này")
            .contains("114")
    );
}

#[test]
fn an_old_button_changes_its_own_answer_or_is_explained() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("có chuyện này lạ lắm");
    citizen.says("12 Nguyễn Trãi");
    citizen.taps("Rác, ô nhiễm, tiếng ồn");
    citizen.taps("Rác thải");
    // The button of the first list again, while a photo is asked for.
    let said = citizen.taps_payload("Cây xanh, công viên", "a/hien-truong/nhom/cay_xanh");
    assert!(
        said.contains("đã đổi câu trả lời: Cây xanh") && said.contains("Cụ thể"),
        "{said}"
    );
    citizen.says("hủy bỏ");
    let said = citizen.taps_payload("Rác thải", "a/hien-truong/moi_truong/RAC");
    assert!(
        said.contains("không dùng được nữa") && said.contains("Kính chào"),
        "{said}"
    );
    let said = citizen.taps_payload("Rác thải", "a/khong-co/moi_truong/RAC");
    assert!(said.contains("không dùng được nữa"), "{said}");
    let said = citizen.taps("Báo sự cố, phản ánh");
    assert!(said.contains("sự việc gì"), "{said}");
}

#[test]
fn a_third_miss_offers_a_way_out() {
    let library = project();
    let mut citizen = reporting(&library);
    let sticker = || {
        vec![Attachment::Sticker {
            id: None,
            url: None,
        }]
    };
    let said = citizen.sends(None, sticker());
    assert!(said.contains("trả lời bằng chữ"), "{said}");
    let said = citizen.says("😀😀");
    assert!(said.contains("Ví dụ: Đèn đường"), "{said}");
    let said = citizen.sends(None, sticker());
    assert!(said.contains("[Gặp cán bộ | Về menu]"), "{said}");
    let said = citizen.says("đèn đường trước nhà hỏng");
    assert!(said.contains("ở đâu"), "an answer still counts: {said}");
    for text in ["20", "20", "20"] {
        citizen.says(text);
    }
    let said = citizen.says("2");
    assert!(said.contains("Kính chào"), "2 is the menu: {said}");
}

#[test]
fn a_person_takes_over_and_the_bot_keeps_quiet() {
    let library = project();
    let mut citizen = reporting(&library);
    let said = citizen.says("gặp cán bộ");
    assert!(
        said.contains("1900 1075") && said.contains("sự việc gì"),
        "no hand-over here: {said}"
    );
    citizen.capabilities.hand_over = true;
    let said = citizen.says("gặp cán bộ");
    assert!(said.contains("chuyển cho cán bộ"), "{said}");
    assert!(citizen.last.replies.contains(&Reply::HandOver));
    assert_eq!(citizen.says("alo có ai không"), "");
    let said = citizen.says("menu");
    assert!(said.contains("Kính chào"), "{said}");
    // The provider says that staff hold the thread.
    citizen.happens(EventKind::Control { ours: false });
    assert_eq!(citizen.says("menu"), "");
    citizen.happens(EventKind::Control { ours: true });
    assert!(citizen.says("menu").contains("Kính chào"));
    citizen.happens(EventKind::Control { ours: false });
    citizen.pass(25 * 60 * 60);
    assert!(
        citizen.says("menu").contains("Kính chào"),
        "nobody is left in silence for ever"
    );
}

#[test]
fn data_are_shown_and_erased() {
    let library = project();
    let mut citizen = reviewing(&library);
    citizen.says("gửi");
    let said = citizen.says("xem dữ liệu");
    assert!(
        said.contains(&citizen.tickets[0].code) && said.contains("21/11/2026"),
        "{said}"
    );
    citizen.says("phản ánh");
    let said = citizen.says("xóa dữ liệu");
    assert!(said.contains("Xóa hết | Không xóa"), "{said}");
    let said = citizen.says("không");
    assert!(said.contains("không xóa gì"), "{said}");
    assert!(!citizen.last.erase);
    citizen.says("xoa du lieu cua toi");
    let said = citizen.says("1");
    assert!(said.contains("đã được xóa"), "{said}");
    assert!(citizen.last.erase && citizen.session.is_none());
}

#[test]
fn one_reminder_then_the_form_is_closed() {
    let library = project();
    let mut citizen = reporting(&library);
    let first = citizen.timer.expect("a timer");
    citizen.pass(20 * 60);
    citizen.says("đèn đường hỏng");
    assert!(
        citizen.last.timers.is_empty(),
        "an ordinary turn changes no timer"
    );
    assert_eq!(citizen.timer, Some(first));
    assert_eq!(citizen.waits(), "", "the citizen wrote since");
    let said = citizen.waits();
    assert!(said.contains("đang nhập dở Phản ánh hiện trường"), "{said}");
    assert!(citizen.says("tiếp").contains("ở đâu"));
    let said = citizen.waits();
    assert!(said.contains("đang nhập dở"), "{said}");
    let said = citizen.waits();
    assert!(said.contains("xin phép đóng lại"), "{said}");
    assert!(citizen.session.is_none() && citizen.timer.is_none());
    assert!(citizen.now.since(NOW).as_secs() >= 24 * 60 * 60);
}

#[test]
fn a_long_text_is_cut_and_the_citizen_told() {
    let library = project();
    let mut citizen = reporting(&library);
    let said = citizen.says(&"đèn hỏng ".repeat(600));
    assert!(
        said.contains("4000 ký tự đầu") && said.contains("ở đâu"),
        "{said}"
    );
    assert!(
        citizen
            .session
            .as_ref()
            .is_some_and(|session| session.len() < 10_000)
    );
}

#[test]
fn media_are_collected_until_done_or_full() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("đèn đường hỏng");
    citizen.says("12 Nguyễn Trãi");
    let said = citizen.sends(None, vec![photo("https://x/1.jpg")]);
    assert!(said.contains("đã nhận 1 tệp"), "{said}");
    let said = citizen.sends(Some("chụp tối qua"), vec![photo("https://x/2.jpg")]);
    assert!(said.contains("đã nhận 2 tệp"), "{said}");
    let said = citizen.says("xong");
    assert!(said.contains("họ tên"), "{said}");
    let said = citizen.sends(None, vec![photo("https://x/3.jpg")]);
    assert!(
        said.contains("đã nhận tệp") && said.contains("họ tên"),
        "late ones are kept: {said}"
    );
    for text in ["bo qua", "bo qua", "co", "dong y", "gui"] {
        citizen.says(text);
    }
    assert_eq!(citizen.ticket("anh").as_deref(), Some("3 tệp"));
    assert!(
        citizen
            .ticket("mo_ta")
            .is_some_and(|text| text.contains("chụp tối qua"))
    );
}

#[test]
fn a_location_where_words_are_asked_is_kept_for_its_question() {
    let library = project();
    let mut citizen = reporting(&library);
    let said = citizen.sends(None, vec![place()]);
    assert!(
        said.contains("đã nhận vị trí") && said.contains("sự việc gì"),
        "{said}"
    );
    let said = citizen.says("đèn đường hỏng");
    assert!(said.contains("ảnh, video"), "{said}");
}

#[test]
fn an_edit_of_the_last_answer_changes_it() {
    let library = project();
    let mut citizen = reporting(&library);
    citizen.says("đèn đường hỏng");
    let message = EventId::new("m2");
    let text = "đèn đường và vỉa hè hỏng".to_owned();
    let said = citizen.happens(EventKind::Edit { message, text });
    assert!(
        said.contains("đã cập nhật") && said.contains("ở đâu"),
        "{said}"
    );
    let message = EventId::new("other");
    assert_eq!(
        citizen.happens(EventKind::Edit {
            message,
            text: "x".to_owned()
        }),
        ""
    );
}

#[test]
fn a_contact_card_answers_the_phone_question() {
    let library = project();
    let mut citizen = reporting(&library);
    for text in ["đèn đường hỏng", "12 Nguyễn Trãi", "0", "bỏ qua"] {
        citizen.says(text);
    }
    let card = Contact {
        phones: vec!["+84 912 345 678".to_owned()],
        ..Contact::default()
    };
    let said = citizen.sends(None, vec![Attachment::Contact(card)]);
    assert!(said.contains("công khai"), "{said}");
}

#[test]
fn what_needs_no_answer_gets_none() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let unknown = EventKind::Unknown {
        name: "x".to_owned(),
        raw: serde_json::Value::Null,
    };
    assert_eq!(citizen.happens(unknown), "");
    assert!(citizen.last.set_aside.is_some());
    for kind in [
        EventKind::Reaction {
            message: EventId::new("m"),
            emoji: Some("❤".to_owned()),
        },
        EventKind::Deleted {
            message: EventId::new("m"),
        },
        EventKind::Echo {
            by_staff: true,
            metadata: None,
        },
        EventKind::Unfollow,
        EventKind::Timer {
            name: "idle".to_owned(),
        },
    ] {
        assert_eq!(citizen.happens(kind.clone()), "", "{}", kind.name());
        assert!(citizen.session.is_none());
    }
    assert!(citizen.happens(EventKind::Flood).contains("nhanh quá"));
    assert!(citizen.happens(EventKind::Follow).contains("Kính chào"));
}
