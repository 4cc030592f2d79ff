//! The web chat in a real browser: a citizen makes a report, whatever the network does.

use std::fs;

use axum::{Router, response::Html, routing::get};
use langnghe_tests::{
    Installation, Replica, accessibility,
    browser::{Browser, Window},
    chat_page::{Answer, ChatPage},
    site::{BEGIN, DONE, PROBLEM, Site, assert_once_each},
    wait,
    wire::Wire,
};
use serde_json::json;

#[tokio::test]
async fn a_report_with_a_photo_and_the_place_is_made_at_phone_width() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Phone, async |browser| {
        browser.stand_at(10.034_1, 105.788_2).await;
        let page = ChatPage::open(browser, &site.installation.url("/chat")).await;
        page.begin().await;
        for (question, answer) in site.report() {
            page.answer(question, answer).await;
        }
        page.until_sent().await;
        site.assert_reported(page).await;
        assert_once_each(&page.messages().await, &site.report());
        assert_eq!(browser.problems().await, Vec::<String>::new());
        let width = browser
            .run("return document.documentElement.scrollWidth")
            .await;
        assert_eq!(width, 390, "nothing sticks out");
        // The transcript is still there after the page was left.
        let before = page.messages().await;
        browser.reload().await;
        page.until_online().await;
        assert_eq!(page.messages().await.len(), before.len());
    })
    .await;
}

/// Whether the browser keeps a file that waits to be sent.
const FILES_KEPT: &str = "
    const open = indexedDB.open('langnghe:/chat');
    open.onerror = () => done(false);
    open.onsuccess = () => {
        const count = open.result.transaction('files').objectStore('files').count();
        count.onsuccess = () => { open.result.close(); done(count.result > 0); };
    };";

#[tokio::test]
async fn neither_a_line_that_breaks_nor_a_killed_server_loses_or_doubles_anything() {
    let site = Site::new().await;
    let mut replica = site.installation.start().await;
    let wire = Wire::to(site.installation.port()).await;
    Browser::with(Window::Phone, async |browser| {
        browser.stand_at(10.034_1, 105.788_2).await;
        let page = ChatPage::open(browser, &wire.url("/chat")).await;
        page.begin().await;
        for (step, (question, answer)) in site.report().into_iter().enumerate() {
            page.until_asked(question).await;
            match step {
                // The line is gone while the citizen answers in words or with a file, and the
                // page is loaded anew as soon as there is one again.
                1 | 5 => {
                    wire.tear_down();
                    page.until_state("offline").await;
                    let is_file = matches!(answer, Answer::Send(..));
                    page.give(answer).await;
                    if is_file {
                        wait::until("the file is kept", wait::SOON, async || {
                            browser.run_async(FILES_KEPT).await == true
                        })
                        .await;
                    }
                    wire.mend();
                    browser.reload().await;
                }
                // The server is gone, and the page is loaded anew before anything was sent.
                7 => {
                    replica.kill();
                    page.until_state("offline").await;
                    page.give(answer).await;
                    replica = site.installation.start().await;
                    browser.reload().await;
                }
                // It breaks at the moment of sending.
                _ => {
                    page.give(answer).await;
                    wire.cut();
                }
            }
        }
        page.until_sent().await;
        site.assert_reported(page).await;
        assert_once_each(&page.messages().await, &site.report());
    })
    .await;
    assert!(wire.carried() > 10, "the line did break");
}

#[tokio::test]
async fn where_no_web_socket_opens_the_page_polls() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    let wire = Wire::to(site.installation.port()).await;
    Browser::with(Window::Phone, async |browser| {
        browser.stand_at(10.034_1, 105.788_2).await;
        let none = json!({ "source": "globalThis.WebSocket = class { constructor() { throw new Error() } }" });
        browser.tell("Page.addScriptToEvaluateOnNewDocument", none).await;
        let page = ChatPage::open(browser, &wire.url("/chat")).await;
        page.begin().await;
        for (step, (question, answer)) in site.report().into_iter().enumerate() {
            page.answer(question, answer).await;
            if step % 3 == 0 {
                wire.cut();
            }
        }
        page.until_sent().await;
        site.assert_reported(page).await;
        assert_once_each(&page.messages().await, &site.report());
        assert_eq!(browser.problems().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn a_report_is_made_with_the_keyboard_alone_and_without_telling_the_place() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Desktop, async |browser| {
        browser.hide_place().await;
        let page = ChatPage::open(browser, &site.installation.url("/chat")).await;
        let press = async |selector: &str| {
            browser.tab_to(selector).await;
            browser.press("\u{e007}").await;
        };
        let choose = async |label: &str| {
            let selector = page.mark_choice(label).await;
            press(&selector).await;
        };
        let write = async |text: &str| {
            browser.tab_to("#text").await;
            browser.press(text).await;
            browser.press("\u{e007}").await;
        };
        press("#begin").await;
        page.until_asked("cần giúp việc gì").await;
        choose("Báo sự cố").await;
        page.until_asked("gặp sự việc gì").await;
        write(PROBLEM).await;
        page.until_asked("Sự việc ở đâu").await;
        browser
            .until(
                "the place can be shared",
                "document.querySelector('.share')",
            )
            .await;
        press(".share").await;
        browser
            .until(
                "the refusal is told, ready for the address",
                "!document.querySelector('#notice').hidden && document.activeElement.id === 'text'",
            )
            .await;
        write("trước số 12 Nguyễn Trãi, phường Cái Khế").await;
        page.until_asked("thuộc lĩnh vực nào").await;
        choose("Đường, vỉa hè").await;
        page.until_asked("Cụ thể là việc nào").await;
        choose("Đèn đường").await;
        page.until_asked("gửi ảnh, video").await;
        write("0").await;
        page.until_asked("cho biết họ tên").await;
        write("bỏ qua").await;
        page.until_asked("số điện thoại để").await;
        write("bỏ qua").await;
        page.until_asked("cho đăng công khai").await;
        choose("Không").await;
        page.until_asked("đồng ý không").await;
        choose("Đồng ý").await;
        page.until_asked(PROBLEM).await;
        choose("Gửi").await;
        page.until_asked(DONE).await;
        assert_eq!(site.agency.wait_for(1, wait::SOON).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_recording_is_taken_and_a_file_that_could_run_is_refused() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Phone, async |browser| {
        let page = ChatPage::open(browser, &site.installation.url("/chat")).await;
        browser.click("#more").await;
        browser.click("#pick-voice").await;
        let second = "document.getElementById('recorded').textContent >= '0:01'";
        browser.until("a second is recorded", second).await;
        browser.click("#record-keep").await;
        browser
            .until(
                "the recording is shown",
                "document.querySelector('.tray li')",
            )
            .await;
        browser.click("#send").await;
        page.until_answered().await;
        page.until_sent().await;
        let kept = fs::read_dir(site.installation.path("data/media/about")).expect("uploads");
        let kept: Vec<_> = kept.flatten().map(|file| file.path()).collect();
        assert_eq!(kept.len(), 1);
        let about = fs::read_to_string(&kept[0]).expect("what it is");
        assert!(about.contains("webm"), "{about}");

        let picture = site.installation.path("picture.svg");
        fs::write(
            &picture,
            "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        )
        .expect("a file");
        page.give(Answer::Send(&picture, "")).await;
        browser
            .until(
                "the refusal is told",
                "document.querySelector('[data-state=failed]')",
            )
            .await;
        assert!(
            browser
                .words()
                .await
                .contains("Loại tệp này không nhận được")
        );
    })
    .await;
}

#[tokio::test]
async fn axe_finds_nothing_serious_in_either_language_size_or_colour() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    for (window, language) in [(Window::Phone, "vi"), (Window::Desktop, "en")] {
        Browser::with(window, async |browser| {
            browser.stand_at(10.034_1, 105.788_2).await;
            let address = site.installation.url(&format!("/chat?lang={language}"));
            let page = ChatPage::open(browser, &address).await;
            let look = async |what: &str| {
                for scheme in ["light", "dark"] {
                    let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
                    browser
                        .tell(
                            "Emulation.setEmulatedMedia",
                            json!({ "features": [feature] }),
                        )
                        .await;
                    let found = accessibility::findings(browser).await;
                    assert!(found.is_empty(), "{what}, {language}, {scheme}: {found:#?}");
                }
            };
            look("empty").await;
            page.begin().await;
            page.until_choices().await;
            browser.click("#more").await;
            look("choices and the panel").await;
            page.give(Answer::Send(&site.photo, "")).await;
            page.until_sent().await;
            page.until_answered().await;
            look("a photo").await;
            browser.click("#more").await;
            browser.click("#forget").await;
            look("the dialog").await;
        })
        .await;
    }
}

#[tokio::test]
async fn the_interface_speaks_english_and_goes_back() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Phone, async |browser| {
        let page = ChatPage::open(browser, &site.installation.url("/chat?lang=en")).await;
        assert_eq!(
            browser.run("return document.documentElement.lang").await,
            "en"
        );
        assert!(browser.words().await.contains("No account is needed"));
        page.begin().await;
        page.until_asked("What would you like to do?").await;
        assert_eq!(page.messages().await[0].1, "Start");
        browser.click("#language").await;
        assert_eq!(
            browser.run("return document.documentElement.lang").await,
            "vi"
        );
        assert!(browser.words().await.contains("Đang trực tuyến"));
        assert_eq!(browser.problems().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn two_tabs_show_the_same_conversation_once() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Desktop, async |browser| {
        let address = site.installation.url("/chat");
        let page = ChatPage::open(browser, &address).await;
        browser.open_tab().await;
        ChatPage::open(browser, &address).await;
        page.begin().await;
        page.until_asked("cần giúp việc gì").await;
        page.give(Answer::Tap("Báo sự cố")).await;
        page.until_asked("gặp sự việc gì").await;
        page.until_sent().await;
        let here = page.messages().await;
        browser.show_tab(0).await;
        wait::until("the other tab shows it too", wait::SOON, async || {
            page.messages().await == here
        })
        .await;
        assert_eq!(
            here.iter()
                .filter(|(from, text)| from == "me" && text == BEGIN)
                .count(),
            1
        );
        page.until_sent().await;
    })
    .await;
}

/// Two tabs are two processes, and what one has written reaches the other a moment later.
const TWO_LATE_TABS: &str = r"
    const app = document.querySelector('script[type=module]').src;
    const { Keep, Transcript } = await import(new URL('keep.js', app));
    class Storage {
        kept = new Map(); told = [];
        get length() { return this.kept.size; }
        key(index) { return [...this.kept.keys()][index] ?? null; }
        getItem(name) { return this.kept.get(name) ?? null; }
        setItem(name, value) { this.kept.set(name, value); this.told.push([name, value]); }
    }
    const storages = [new Storage(), new Storage()];
    const tabs = storages.map((storage) => new Transcript(new Keep('', () => storage), () => {}));
    const read = (text) => (text === undefined ? null : JSON.parse(text));
    const reach = () => {
        while (storages.some((storage) => storage.told.length > 0)) {
            const told = storages.map((storage) => storage.told.splice(0));
            storages.forEach((storage, tab) => told[1 - tab].forEach(([name, value]) => {
                const before = read(storage.kept.get(name));
                storage.kept.set(name, value);
                tabs[tab].keepPlace(name, before, read(value));
            }));
        }
    };
    let time = 1000;
    Date.now = () => (time += 10);
    const reply = { kind: 'text', text: 'Dạ.' };
    tabs[0].add({ id: 'first', from: 'me', state: 'waiting' });
    reach();
    tabs[0].add({ id: 'second', from: 'me', state: 'waiting' });
    tabs[1].addReply('reply', reply);
    tabs[0].addReply('reply', reply);
    tabs[1].update('first', { state: 'sent' });
    reach();
    tabs[1].addReply('question', reply);
    tabs[1].add({ id: 'answer', from: 'me', state: 'sent' });
    tabs[0].addReply('question', reply);
    reach();
    return tabs.map((tab) => tab.entries().map(({ id, state }) => `${id} ${state ?? 'theirs'}`));";

#[tokio::test]
async fn what_two_tabs_write_at_once_is_kept() {
    let site = Site::new().await;
    let _replica = site.installation.start().await;
    Browser::with(Window::Desktop, async |browser| {
        browser.open_page(&site.installation.url("/chat")).await;
        let script = format!(
            "(async () => {{{TWO_LATE_TABS}}})().then(done, (error) => done(`${{error}}`))"
        );
        let both = [
            "first sent",
            "second waiting",
            "reply theirs",
            "question theirs",
            "answer sent",
        ];
        assert_eq!(browser.run_async(&script).await, json!([both, both]));
    })
    .await;
}

#[tokio::test]
async fn an_agencys_portal_shows_the_chat_in_a_frame_and_no_other_site_does() {
    let mut site = Site::new().await;
    let (portal, stranger) = (
        portal(&site.installation).await,
        portal(&site.installation).await,
    );
    let allowed = toml::Value::Array(vec![portal.clone().into()]);
    site.installation
        .set_of("channel", "web", "allow_frames", allowed);
    let _replica: Replica<'_> = site.installation.start().await;
    Browser::with(Window::Phone, async |browser| {
        browser.open_page(&portal).await;
        browser.click("button").await;
        browser.enter_frame().await;
        let page = ChatPage::in_frame(browser).await;
        page.begin().await;
        page.until_asked("cần giúp việc gì").await;
        browser.click("#close").await;
        browser.leave_frame().await;
        let hidden = "getComputedStyle(document.querySelector('iframe')).display === 'none'";
        browser.until("the frame is closed", hidden).await;
        assert_eq!(
            browser.run("return document.activeElement.tagName").await,
            "BUTTON"
        );
        assert_eq!(browser.problems().await, Vec::<String>::new());

        browser.open_page(&stranger).await;
        browser.click("button").await;
        browser.enter_frame().await;
        let refused = "location.protocol === 'chrome-error:'";
        browser.until("the frame is refused", refused).await;
    })
    .await;
}

/// A portal with the widget, on an origin of its own.
async fn portal(installation: &Installation) -> String {
    let page = format!(
        "<!doctype html><html lang=vi><title>Portal</title><h1>Portal</h1>\
         <script src='{}' defer></script>",
        installation.url("/chat/widget.js")
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("bound");
    let routes = Router::new().route("/", get(async move || Html(page)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}
