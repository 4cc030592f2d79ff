//! What citizens do beside answering: going back, cancelling, refusing, misunderstanding, erasing.

use crate::citizen::{Citizen, NOW, photo, place, project};
use langnghe_model::{
    EventId, EventKind, Reply,
    event::{Attachment, Contact},
};

use super::street::{reporting, reviewing};

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
