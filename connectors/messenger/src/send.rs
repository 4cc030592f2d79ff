//! From a rendered reply to the Send API.

mod encode;
mod failure;
mod profile;

use langnghe_connector::{Outgoing, SendError, Sent};
use langnghe_graph::GraphClient;
use langnghe_model::EventId;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::{failure::classify, profile::profile};
use crate::Config;

/// Sends one reply: one request, two for "typing", which says "seen" first.
pub(crate) async fn send(
    graph: &GraphClient,
    config: &Config,
    outgoing: &Outgoing<'_>,
) -> Result<Sent, SendError> {
    // The Page in paths: its id, or `me`, which the token makes the Page.
    let page = config.page_id.as_deref().unwrap_or("me");
    let mut sent = Sent::default();
    for call in encode::encode(outgoing, config)? {
        let answer = graph.post(&[page, call.edge], &call.body).await;
        let answer = answer.map_err(|failure| {
            let error = classify(&failure);
            if call.is_pass() {
                of_pass(error)
            } else {
                error
            }
        })?;
        sent = read_answer(answer)?;
    }
    Ok(sent)
}

/// The permission to pass threads is one of its own: where it is missing, messages still go, and the
/// channel must not rest for it. A token that is refused is refused for everything.
fn of_pass(error: SendError) -> SendError {
    match error {
        SendError::Credentials { code } if matches!(&*code, "10" | "200" | "100/33") => {
            SendError::Rejected { code }
        }
        other => other,
    }
}

/// What Meta answers to a message, an action (no message id) or a passed thread (`success`).
#[derive(Deserialize)]
struct SendAnswer {
    message_id: Option<String>,
    recipient_id: Option<Value>,
    success: Option<bool>,
}

fn read_answer(answer: Value) -> Result<Sent, SendError> {
    let unreadable = || SendError::Transport {
        reason: "unreadable answer".to_owned(),
    };
    let answer: SendAnswer = serde_json::from_value(answer).map_err(|_| unreadable())?;
    match answer {
        SendAnswer {
            message_id: Some(id),
            ..
        } => Ok(Sent {
            message: Some(EventId::new(id)),
        }),
        SendAnswer {
            recipient_id: Some(_),
            ..
        }
        | SendAnswer {
            success: Some(true),
            ..
        } => Ok(Sent::default()),
        SendAnswer {
            success: Some(false),
            ..
        } => Err(SendError::Rejected {
            code: "no success".to_owned(),
        }),
        // Somebody answered, but it was not Meta's Send API.
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests;
