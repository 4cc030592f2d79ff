//! Whole conversations with the project's own flows.

use crate::citizen::{Citizen, photo, place, project};
use langnghe_flow::Library;
use langnghe_model::event::MediaKind;

/// A citizen who was asked what the matter is.
pub(super) fn reporting(library: &Library) -> Citizen<'_> {
    let mut citizen = Citizen::new(library);
    citizen.says("phan anh");
    citizen
}

/// A citizen before the review.
pub(super) fn reviewing(library: &Library) -> Citizen<'_> {
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
