//! How people answer: one question of every kind, and what becomes of what they write.

use crate::citizen::{Citizen, load, photo, place, told};
use langnghe_flow::Library;
use langnghe_model::event::{Attachment, Contact};

/// A flow that asks one question and ends.
fn asking(question: &str) -> Library {
    let flow = format!(
        "id = \"t\"\ntitle = \"T\"\n[triggers]\nphrases = [\"bat dau nao\"]\n[[question]]\nid = \"q\"\nask = \"Hỏi?\"\n{question}\n[ticket]\n"
    );
    let loaded = load(&[&flow], "t");
    assert!(loaded.library.is_some(), "{:#?}", told(&loaded));
    loaded.library.expect("it checks")
}

/// What a citizen's words become; `None` when they are asked again.
fn understood(library: &Library, words: &str) -> Option<String> {
    let mut citizen = Citizen::new(library);
    citizen.says("bat dau nao");
    citizen.says(words);
    citizen.ticket("q")
}

fn table(question: &str, cases: &[(&str, Option<&str>)]) {
    let library = asking(question);
    for (words, expected) in cases {
        assert_eq!(
            understood(&library, words).as_deref(),
            *expected,
            "{words:?} to {question}"
        );
    }
}

const CHOICE: &str = r#"
kind = "choice"
choices = [
  { id = "duong", label = "Đường, vỉa hè", hints = ["ổ gà", "sụt lún"] },
  { id = "rac", label = "Rác, vệ sinh", hints = ["mùi hôi", "đổ trộm"] },
  { id = "den", label = "Đèn đường", hints = ["tối om", "chiếu sáng"] },
  { id = "khac", label = "Việc khác" },
]"#;

#[test]
fn one_choice() {
    let (road, waste, lamp, other) = (
        Some("Đường, vỉa hè"),
        Some("Rác, vệ sinh"),
        Some("Đèn đường"),
        Some("Việc khác"),
    );
    table(
        CHOICE,
        &[
            ("1", road),
            ("1.", road),
            ("(2)", waste),
            ("số 3", lamp),
            ("câu 3 ạ", lamp),
            ("hai", waste),
            ("2️⃣", waste),
            ("４", other),
            ("b", waste),
            ("5", None),
            ("0", None),
            ("Rác, vệ sinh", waste),
            ("rac, ve sinh", waste),
            ("RÁC, VỆ SINH!", waste),
            ("Ra\u{301}c, vê\u{323} sinh", waste),
            ("vệ sinh", waste),
            ("dạ vệ sinh ạ", waste),
            ("den duong", lamp),
            ("ổ gà", road),
            ("o ga to qua", road),
            ("mùi hôi nồng nặc", waste),
            ("đèn đuong", lamp),
            ("den duognf", lamp),
            ("dne duognf", None),
            ("chieu sagn", lamp),
            ("racs", waste),
            ("ra1c", waste),
            ("via hef", road),
            ("việc khác", other),
            ("rac voi o ga", None),
            ("no", None),
            ("khong", None),
            ("👍", None),
            ("xin chào", None),
            ("", None),
        ],
    );
}

#[test]
fn words_that_fit_several_choices_are_asked_about() {
    let library = asking(CHOICE);
    let mut citizen = Citizen::new(&library);
    citizen.says("bat dau nao");
    let said = citizen.says("đường");
    assert!(said.contains("1. Đường, vỉa hè\n3. Đèn đường"), "{said}");
    citizen.says("3");
    assert_eq!(citizen.ticket("q").as_deref(), Some("Đèn đường"));
}

#[test]
fn several_choices() {
    let question = CHOICE.replace("\"choice\"", "\"choices\"\nmax = 3");
    table(
        &question,
        &[
            ("1,3", Some("Đường, vỉa hè; Đèn đường")),
            ("1 và 3", Some("Đường, vỉa hè; Đèn đường")),
            ("3 1 3", Some("Đường, vỉa hè; Đèn đường")),
            ("rác và tối om", Some("Rác, vệ sinh; Đèn đường")),
            ("việc khác", Some("Việc khác")),
            ("1,2,3,4", None),
            ("1,9", None),
            ("không biết", None),
        ],
    );
    let library = asking(&question);
    let mut citizen = Citizen::new(&library);
    citizen.says("bat dau nao");
    citizen.taps("Rác, vệ sinh");
    citizen.taps("Việc khác");
    let said = citizen.taps("Rác, vệ sinh");
    assert!(
        said.contains("✓ Việc khác"),
        "a second tap takes it away: {said}"
    );
    citizen.taps("Xong");
    assert_eq!(citizen.ticket("q").as_deref(), Some("Việc khác"));
}

#[test]
fn yes_or_no() {
    table(
        "kind = \"yes_no\"",
        &[
            ("có", Some("Có")),
            ("1", Some("Có")),
            ("dạ vâng ạ", Some("Có")),
            ("đúng rồi", Some("Có")),
            ("đc", Some("Có")),
            ("không", Some("Không")),
            ("2", Some("Không")),
            ("dạ không ạ", Some("Không")),
            ("chưa", Some("Không")),
            ("ko dc", Some("Không")),
            ("có phải gửi ảnh không?", None),
            ("0", None),
            ("cảm ơn", None),
        ],
    );
}

#[test]
fn numbers_and_points() {
    table(
        "kind = \"number\"\nmin = 1\nmax = 200",
        &[
            ("20", Some("20")),
            ("20cm", Some("20")),
            ("khoảng 20 phân ạ", Some("20")),
            ("1,5", Some("1,5")),
            ("hai mươi", Some("20")),
            ("0", None),
            ("500", None),
            ("từ 10 đến 20", None),
            ("sâu lắm", None),
        ],
    );
    table(
        "kind = \"number\"\nwhole = true",
        &[("1,5", None), ("1.500", Some("1500"))],
    );
    table(
        "kind = \"rating\"",
        &[
            ("4", Some("4/5")),
            ("4 sao", Some("4/5")),
            ("4/5", Some("4/5")),
            ("⭐⭐⭐", Some("3/5")),
            ("năm", Some("5/5")),
            ("6", None),
            ("0", None),
            ("tốt", None),
        ],
    );
}

#[test]
fn days_phones_and_addresses() {
    table(
        "kind = \"date\"\nmax = \"today\"",
        &[
            ("hôm nay", Some("21/11/2026")),
            ("tối qua", Some("20/11/2026")),
            ("20-11", Some("20/11/2026")),
            ("25/12", Some("25/12/2025")),
            ("25/12/2026", None),
            ("không nhớ", None),
        ],
    );
    table(
        "kind = \"phone\"",
        &[
            ("0912345678", Some("0912 345 678")),
            ("sđt 091.234.5678 nhé", Some("0912 345 678")),
            ("01201234567", Some("0701 234 567")),
            ("12345", None),
        ],
    );
    table(
        "kind = \"email\"",
        &[
            ("a@b.vn", Some("a@b.vn")),
            ("a@b", None),
            ("không có", None),
        ],
    );
    table(
        "kind = \"location\"",
        &[
            ("trước số 12 Nguyễn Trãi", Some("trước số 12 Nguyễn Trãi")),
            (
                "10.0341, 105.7883",
                Some("Vị trí đã chia sẻ (10.03410, 105.78830)"),
            ),
            (
                "https://maps.google.com/?q=10.0341,105.7883",
                Some("Vị trí đã chia sẻ (10.03410, 105.78830)"),
            ),
            ("20", None),
            ("😀😀😀😀😀", None),
        ],
    );
}

#[test]
fn who_need_not_answer_can_say_so_in_many_ways() {
    for kind in ["phone", "email", "location", "date", "text"] {
        let library = asking(&format!("kind = \"{kind}\"\noptional = true"));
        for words in ["bỏ qua", "skip", "không", "dạ không có ạ"] {
            let mut citizen = Citizen::new(&library);
            citizen.says("bat dau nao");
            citizen.says(words);
            assert_eq!(citizen.tickets.len(), 1, "{words:?} to {kind}");
            assert_eq!(citizen.ticket("q"), None, "{words:?} to {kind}");
        }
    }
    let library = asking(&format!("{CHOICE}\noptional = true"));
    for words in ["5", "bỏ qua"] {
        let mut citizen = Citizen::new(&library);
        let said = citizen.says("bat dau nao");
        assert!(said.ends_with("| Bỏ qua]"), "{said}");
        citizen.says(words);
        assert_eq!(citizen.tickets.len(), 1, "{words:?}");
    }
}

#[test]
fn attachments_where_something_else_is_asked() {
    let sticker = || Attachment::Sticker {
        id: None,
        url: None,
    };
    let contact = || Attachment::Contact(Contact::default());
    for (kind, help) in [
        ("text", "bằng chữ"),
        ("number", "con số"),
        ("yes_no", "Có hoặc Không"),
        ("phone", "số điện thoại"),
        ("location", "gửi vị trí"),
        ("date", "ngày"),
        ("media", "ảnh"),
        ("rating", "1 đến 5"),
    ] {
        let library = asking(&format!("kind = \"{kind}\""));
        for attachment in [sticker(), place(), contact(), photo("https://x/1.jpg")] {
            let fits = matches!(
                (kind, &attachment),
                ("location", Attachment::Location(_)) | ("media", Attachment::Media(_))
            );
            let mut citizen = Citizen::new(&library);
            citizen.says("bat dau nao");
            let said = citizen.sends(None, vec![attachment.clone()]);
            if !fits {
                assert!(said.contains(help), "{attachment:?} to {kind}: {said}");
                assert!(citizen.tickets.is_empty());
            }
        }
    }
}

#[test]
fn the_texts_of_a_question_are_used_in_their_order() {
    let library = asking("kind = \"number\"\nretry = \"Số mấy ạ?\"\nhelp = \"Như 7.\"");
    let mut citizen = Citizen::new(&library);
    citizen.says("bat dau nao");
    assert_eq!(citizen.says("nhiều"), "Số mấy ạ?");
    assert_eq!(citizen.says("nhiều"), "Số mấy ạ? Như 7.\n\nHỏi?");
    assert!(citizen.says("nhiều").contains("Gặp cán bộ | Về menu"));
}

#[test]
fn a_condition_shows_and_hides_a_question() {
    let flow = r#"
id = "t"
title = "T"
[[question]]
id = "loai"
kind = "choice"
ask = "Loại?"
choices = [{ id = "duong", label = "Đường" }, { id = "rac", label = "Rác" }]
[[question]]
id = "chi_tiet"
kind = "text"
ask = "Chi tiết?"
[[question]]
id = "sau"
kind = "number"
ask = "Sâu mấy cm ở {loai}?"
when = 'loai == "duong" && has(chi_tiet) && chi_tiet.contains("ổ gà")'
[ticket]
service = "S-{loai}"
"#;
    let loaded = load(&[flow], "t");
    let library = loaded.library.as_ref().expect("it checks");
    let mut citizen = Citizen::new(library);
    citizen.says("alo");
    citizen.says("duong");
    assert_eq!(citizen.says("có ổ gà"), "Sâu mấy cm ở Đường?");
    citizen.says("20");
    assert_eq!(citizen.tickets[0].service.as_deref(), Some("S-duong"));
    let mut citizen = Citizen::new(library);
    citizen.says("alo");
    citizen.says("rac");
    citizen.says("có ổ gà");
    assert_eq!(citizen.tickets.len(), 1);
}
