//! A stand-in for SpeedSMS: takes messages for telephones, and keeps them.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What was sent to which number.
type Messages = Arc<Mutex<Vec<(String, String)>>>;

/// The stand-in; it serves until the test's runtime ends.
#[derive(Debug)]
pub struct SpeedSms {
    address: String,
    messages: Messages,
}

impl SpeedSms {
    /// Starts one on a free port of loopback.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let messages = Messages::default();
        let router = Router::new()
            .route("/sms/send", post(take))
            .with_state(Arc::clone(&messages));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, messages }
    }

    /// Where it is.
    pub fn api_base(&self) -> &str {
        &self.address
    }

    /// What was sent to a number, as its digits begin with the country's.
    pub fn texts_for(&self, digits: &str) -> Vec<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let to = messages.iter().filter(|(to, _)| to == digits);
        to.map(|(_, text)| text.clone()).collect()
    }
}

async fn take(State(messages): State<Messages>, Json(request): Json<Value>) -> Json<Value> {
    let to = request["to"][0].as_str().unwrap_or_default().to_owned();
    let text = request["content"].as_str().unwrap_or_default().to_owned();
    let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    messages.push((to, text));
    let number = messages.len();
    Json(json!({
        "status": "success",
        "code": "00",
        "data": { "tranId": number, "totalSMS": 1, "totalPrice": 250, "invalidPhone": [] },
    }))
}
