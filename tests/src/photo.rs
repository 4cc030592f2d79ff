//! A road for photos: a citizen sends one on Messenger, the agency gets a link to it.

use serde_json::Value;

use crate::{citizen::Citizen, graph::Medium, http, road::Road, wait};

/// A flow with a photo and a sentence; its ticket goes to `ioc`.
const FLOW: &str = include_str!("photo.toml");

/// A picture.
pub const PHOTO: &[u8] = b"\x89PNG\r\n\x1a\n a photo of a street lamp";

/// A road on which photos are sent.
#[derive(Debug)]
pub struct PhotoRoad {
    /// The road.
    pub road: Road,
    /// Who sends.
    pub citizen: Citizen,
}

impl PhotoRoad {
    /// A new one; no replica runs yet. What fails is tried again quickly.
    pub async fn new() -> Self {
        let mut road = Road::new().await;
        road.installation
            .flows(&[("anh.toml", FLOW)])
            .set("flows.start", "anh")
            .set("retries.media", vec!["100ms"]);
        let citizen = road.citizen();
        Self { road, citizen }
    }

    /// Lets the citizen send a photo that lies at Meta, and gives the ticket's one medium as the agency
    /// got it.
    pub async fn report(&self, medium: Medium) -> Value {
        self.send(medium).await;
        self.delivered().await
    }

    /// Lets the citizen send a photo that lies at Meta, and a sentence; every message is repeated until
    /// it is taken.
    pub async fn send(&self, medium: Medium) {
        let url = self.road.graph.medium("photo", medium);
        self.road.installation.private(&url);
        for (told, message) in ["", "Ảnh?", "Mô tả?"]
            .into_iter()
            .zip(["gửi ảnh", "", "Đèn hỏng"])
        {
            wait::until("the citizen is asked", wait::SOON, async || {
                let texts = self.road.graph.texts_for(&self.citizen.id);
                texts.iter().any(|text| text.contains(told)) || told.is_empty()
            })
            .await;
            if message.is_empty() {
                self.citizen.sends("image", &url).await;
            } else {
                self.citizen.says(message).await;
            }
        }
    }

    /// The medium of the one ticket, as the agency got it last.
    pub async fn delivered(&self) -> Value {
        let tickets = self.road.agency.wait_for(1, wait::SOON).await;
        self.road.agency.assert_no_violations();
        let ticket = &tickets.values().next().expect("a ticket").ticket;
        let answers = ticket["answers"].as_array().expect("answers");
        let photo = answers.iter().find(|answer| answer["question"] == "anh");
        let photo = photo.expect("the photo's answer");
        assert_eq!(
            photo["value"], photo["media"],
            "told twice in the same words"
        );
        let medium = photo["media"][0].clone();
        let (name, _) = name_and_query(&link(&medium));
        self.road.installation.private(&name);
        medium
    }

    /// The one ticket as an operator sees it.
    ///
    /// # Panics
    /// When it is not shown.
    pub fn shown(&self) -> String {
        let tickets = self.road.agency.tickets();
        let kept = tickets.values().next().expect("a ticket");
        let code = kept.ticket["code"].as_str().expect("a code");
        let output = self.road.installation.run(&["tickets", "show", code]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Asks for a link until it answers with this status.
    pub async fn until_answers(&self, link: &str, status: u16) -> reqwest::Response {
        let what = format!("the link answers {status}");
        wait::for_some(&what, wait::SOON, async || {
            let answer = http::client().get(link).send().await.ok()?;
            Some(answer).filter(|answer| answer.status() == status)
        })
        .await
    }

    /// How many objects of a kind the folder of media has.
    pub fn kept(&self, kind: &str) -> usize {
        let folder = self.road.installation.path("data/media").join(kind);
        std::fs::read_dir(folder).into_iter().flatten().count()
    }
}

/// The link of a medium.
pub fn link(medium: &Value) -> String {
    medium["url"].as_str().expect("a link").to_owned()
}

/// The name in a link, and what follows the question mark.
pub fn name_and_query(link: &str) -> (String, String) {
    let (_, rest) = link.split_once("/media/").expect("a link of ours");
    let (name, query) = rest.split_once('?').expect("a signature");
    (name.to_owned(), query.to_owned())
}
