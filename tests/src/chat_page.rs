//! The web chat's page as a visitor sees and uses it.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, SOON},
    wait,
};

/// The texts of all messages, as `[from, text]`.
const MESSAGES: &str = "[...document.querySelectorAll('.message')].map((message) => [
    message.classList.contains('me') ? 'me' : 'them',
    [...message.querySelectorAll('.bubble > :not(.unseen)')].map((part) => part.alt ?? part.textContent).join('\\n')])";

/// The page in a browser.
#[derive(Clone, Copy, Debug)]
pub struct ChatPage<'a> {
    browser: &'a Browser,
}

/// What a visitor does when they are asked something.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// Writes.
    Say(&'a str),
    /// Taps the choice that has these words in it.
    Tap(&'a str),
    /// Sends a file, with words.
    Send(&'a Path, &'a str),
    /// Shares the device's place.
    Share,
    /// Nothing: it was no question.
    Nothing,
}

impl<'a> ChatPage<'a> {
    /// Opens the page and waits until it is connected.
    pub async fn open(browser: &'a Browser, address: &str) -> Self {
        browser.open_page(address).await;
        let page = Self { browser };
        page.until_online().await;
        page
    }

    /// The page in the frame that the browser is in.
    pub async fn in_frame(browser: &'a Browser) -> Self {
        let page = Self { browser };
        page.until_online().await;
        page
    }

    /// Waits until the page says that it is connected.
    pub async fn until_online(&self) {
        self.until_state("online").await;
    }

    /// Waits until the page says how it is connected.
    pub async fn until_state(&self, state: &str) {
        let there = format!("document.getElementById('state')?.dataset.state === '{state}'");
        self.browser
            .until(&format!("the page is {state}"), &there)
            .await;
    }

    /// Taps "Start".
    pub async fn begin(&self) {
        self.browser.click("#begin").await;
    }

    /// Waits until something with `part` in it was said since the visitor's last message.
    pub async fn until_asked(&self, part: &str) {
        wait::until(&format!("the page asks {part:?}"), SOON, async || {
            let messages = self.messages().await;
            let since = messages.iter().rev().take_while(|(from, _)| from == "them");
            since.map(|(_, text)| text).any(|text| text.contains(part))
        })
        .await;
    }

    /// Waits until anything was said since the visitor's last message.
    pub async fn until_answered(&self) {
        self.until_asked("").await;
    }

    /// Waits for a question, then answers it.
    pub async fn answer(&self, question: &str, answer: Answer<'_>) {
        self.until_asked(question).await;
        self.give(answer).await;
    }

    /// Gives an answer now.
    pub async fn give(&self, answer: Answer<'_>) {
        match answer {
            Answer::Say(text) => {
                self.browser.type_into("#text", text).await;
                self.browser.click("#send").await;
            }
            Answer::Tap(label) => {
                let selector = self.mark_choice(label).await;
                self.browser.click(&selector).await;
            }
            Answer::Send(file, words) => {
                self.browser
                    .type_into("#photo-input", &file.display().to_string())
                    .await;
                self.browser
                    .until("the file is shown", "document.querySelector('.tray li')")
                    .await;
                self.browser.type_into("#text", words).await;
                self.browser.click("#send").await;
                // What loads moves what is below it.
                let loaded = "[...document.images].every((image) => image.complete)";
                self.browser.until("the preview is loaded", loaded).await;
            }
            Answer::Share => {
                let button = "document.querySelector('.choices .share')";
                self.browser.until("the place can be shared", button).await;
                self.browser.click(".choices .share").await;
            }
            Answer::Nothing => {}
        }
    }

    /// Waits for a choice that has these words in it, and gives a selector for it.
    pub async fn mark_choice(&self, label: &str) -> String {
        let button = format!(
            "[...document.querySelectorAll('.choices button')].find((button) =>
                button.textContent.includes({}))",
            json!(label)
        );
        self.browser
            .until(&format!("there is a choice {label:?}"), &button)
            .await;
        self.browser
            .run(&format!("{button}.dataset.wanted = 'yes'"))
            .await;
        "[data-wanted=yes]".to_owned()
    }

    /// Waits until there is something to choose.
    pub async fn until_choices(&self) {
        self.browser
            .until(
                "there are choices",
                "document.querySelector('.choices button')",
            )
            .await;
    }

    /// All messages, as who said it (`me`, `them`) and what.
    ///
    /// # Panics
    /// When the page is not ours.
    pub async fn messages(&self) -> Vec<(String, String)> {
        let messages: Value = self.browser.run(&format!("return {MESSAGES}")).await;
        serde_json::from_value(messages).expect("a list of pairs")
    }

    /// Waits until everything that the visitor sent is accepted.
    pub async fn until_sent(&self) {
        self.browser
            .until(
                "everything is sent",
                "!document.querySelector('.me:not([data-state=sent])')",
            )
            .await;
    }
}
