//! Whole conversations with the project's own flows.

mod common;

use common::*;

#[test]
fn a_report_without_diacritics() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let talk = [
        "xin chao",
        "1",
        "den duong hong 3 ngay roi",
        "truoc so 12 nguyen trai",
        "0",
        "Tran Van Huy",
        "0912 345 678",
        "co",
        "dong y",
        "gui",
    ];
    for text in talk {
        let said = citizen.says(text);
        println!("> {text}\n{said}\n");
    }
    assert_eq!(citizen.tickets.len(), 1);
}
