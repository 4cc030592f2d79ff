//! Citizens who want no news, and those who want them again.

use langnghe_tests::{
    Installation, Replica,
    agency::Agency,
    installation::BACKEND_SECRET,
    news::{FLOW, TOKEN, becomes, tell},
    sms::{Gateway, twilio},
    wait,
    whatsapp::{NUMBER, Person, WhatsApp},
};
use serde_json::json;

const PHONE: &str = "+84912345673";

fn installation(agency: &Agency) -> Installation {
    let mut installation = Installation::new();
    installation
        .backend("ioc", agency.url())
        .flows(&[("su-co.toml", FLOW)])
        .set("flows.start", "su-co")
        .set("api.token", TOKEN)
        .set("notices.quiet_hours", "off")
        .set("retries.replies", vec!["100ms"; 20]);
    for secret in [PHONE, "84912345673", "0912345673"] {
        installation.private(secret);
    }
    installation
}

/// A citizen on some messenger: how they write, and what was said to them.
struct Citizen<W, T> {
    writes: W,
    texts: T,
    seen: usize,
}

impl<W: AsyncFnMut(&str), T: Fn() -> Vec<String>> Citizen<W, T> {
    /// Writes something and waits for words after all that were seen before.
    async fn says(&mut self, text: &str, expected: &str) {
        (self.writes)(text).await;
        self.expects(expected).await;
    }

    async fn expects(&mut self, expected: &str) {
        let what = format!("{expected:?} after {} others", self.seen);
        let texts = &self.texts;
        let seen = self.seen;
        let place = wait::for_some(&what, wait::SOON, async || {
            let mut later = texts().into_iter().enumerate().skip(seen);
            later.find(|(_, text)| text.contains(expected))
        })
        .await
        .0;
        self.seen = place + 1;
    }

    /// A whole report; the newest ticket's code.
    async fn reports(&mut self, agency: &Agency, tickets: usize) -> String {
        self.says("bao su co", "Việc gì").await;
        self.says("den hong", "Số điện thoại").await;
        self.says("0912345673", "Xong:").await;
        let all = agency.wait_for(tickets, wait::SOON).await;
        let newest = (self.texts)().pop().expect("the last text");
        let codes = all.values().map(|ticket| ticket.ticket["code"].clone());
        let codes = codes.filter_map(|code| code.as_str().map(str::to_owned));
        let mut codes = codes.filter(|code| newest.contains(code.as_str()));
        codes.next().expect("the code that was told")
    }
}

/// What the law and good manners ask for, whichever the messenger.
async fn refuses_and_takes_back<W: AsyncFnMut(&str), T: Fn() -> Vec<String>>(
    replica: &Replica<'_>,
    agency: &Agency,
    channel: &str,
    mut citizen: Citizen<W, T>,
) {
    let code = citizen.reports(agency, 1).await;
    let news = |number: u32| json!({ "text": format!("Tin số {number}.") });
    tell(replica, &code, "1", &news(1)).await;
    citizen.expects("Tin số 1").await;

    // Confirmed once, however often it is said.
    citizen.says("STOP", "START").await;
    (citizen.writes)("STOP").await;
    tell(replica, &code, "2", &news(2)).await;
    becomes(replica, &code, ["given_up", "opted_out", channel]).await;
    // What is asked for is answered, and a form that is begun changes nothing.
    citizen.says("bao su co", "Việc gì").await;
    tell(replica, &code, "3", &news(3)).await;
    becomes(replica, &code, ["given_up", "opted_out", channel]).await;
    let texts = (citizen.texts)();
    let confirmed = texts.iter().filter(|text| text.contains("nhắn START"));
    assert_eq!(confirmed.count(), 1, "{texts:?}");

    citizen.says("START", "lại nhận được thông báo").await;
    tell(replica, &code, "4", &news(4)).await;
    becomes(replica, &code, ["sent", "free", channel]).await;
    citizen.expects("Tin số 4").await;

    // Who reports something new wants to hear of it.
    citizen.says("MENU", "Việc gì").await;
    citizen.says("hủy bỏ", "đã hủy").await;
    citizen.says("STOP", "nhắn START").await;
    tell(replica, &code, "5", &news(5)).await;
    becomes(replica, &code, ["given_up", "opted_out", channel]).await;
    let code = citizen.reports(agency, 2).await;
    tell(replica, &code, "6", &news(6)).await;
    becomes(replica, &code, ["sent", "free", channel]).await;
    citizen.expects("Tin số 6").await;
    let texts = (citizen.texts)();
    for number in [2, 3, 5] {
        let words = format!("Tin số {number}.");
        assert!(!texts.iter().any(|text| text.contains(&words)), "{texts:?}");
    }
}

#[tokio::test]
async fn by_sms() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = installation(&agency);
    let webhook = installation.url("/webhooks/sms");
    let gateway = Gateway::start(twilio::Twilio::new(&webhook)).await;
    twilio::channel(&mut installation, &gateway);
    let replica = installation.start().await;
    let citizen = Citizen {
        writes: async |text: &str| twilio::writes(&gateway, &webhook, PHONE, text, false).await,
        texts: || gateway.texts_for(PHONE),
        seen: 0,
    };
    refuses_and_takes_back(&replica, &agency, "sms", citizen).await;
    drop(replica);
}

#[tokio::test]
async fn on_whatsapp() {
    let agency = Agency::start(BACKEND_SECRET).await;
    let mut installation = installation(&agency);
    let whatsapp = WhatsApp::start(&installation.url("/webhooks/wa")).await;
    installation.whatsapp("wa", NUMBER, &whatsapp.api_base());
    let replica = installation.start().await;
    let person = Person::new(&installation, &whatsapp);
    let citizen = Citizen {
        writes: async |text: &str| drop(person.says(text).await),
        texts: || {
            let taken = whatsapp.taken_for(&person.id).into_iter();
            taken.map(|taken| taken.text).collect()
        },
        seen: 0,
    };
    refuses_and_takes_back(&replica, &agency, "wa", citizen).await;
    drop(replica);
}
