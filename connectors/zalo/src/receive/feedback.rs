//! What citizens think of a template's message: its stars and its buttons. Neither names the citizen; the
//! `tracking_id` says which ticket it is about.

use langnghe_model::{Event, EventId, EventKind, event::Feedback};
use serde_json::Value;

use super::scope::Scope;
use crate::{lenient, tracking};

/// The event that the body becomes; `None` for what is none, and for one that says nothing.
pub(super) fn event(scope: &Scope<'_>) -> Option<Event> {
    let said = match &*scope.name() {
        "user_feedback" => Feedback {
            rating: rating(scope),
            choices: texts(scope.body.pointer("/message/feedbacks")),
            text: filled(scope, "/message/note"),
            ..Feedback::default()
        },
        "user_click_response_button" => Feedback {
            choices: filled(scope, "/message/data").into_iter().collect(),
            ..Feedback::default()
        },
        _ => return None,
    };
    if said == Feedback::default() {
        return None;
    }
    let tracking = scope.text("/message/tracking_id");
    let ticket = tracking.as_deref().and_then(tracking::ticket);
    let submitted = scope.body.pointer("/message/submit_time");
    let at = submitted.and_then(lenient::moment);
    // One message may be rated, or its buttons pressed, more than once.
    let id = match (scope.message_id(), at) {
        (Some(message), Some(at)) => format!("feedback:{message}:{}", at.as_milliseconds()),
        _ => scope.digest_id("feedback"),
    };
    let kind = EventKind::Feedback(Box::new(Feedback {
        notice: scope.message_id().map(EventId::new),
        ticket: ticket.map(str::to_owned),
        ..said
    }));
    let mut event = scope.made(id, scope.citizen(), kind);
    event.sent_at = at.unwrap_or(event.sent_at);
    Some(event)
}

fn rating(scope: &Scope<'_>) -> Option<u8> {
    let rate = scope.body.pointer("/message/rate");
    let stars = rate.and_then(lenient::natural)?;
    u8::try_from(stars)
        .ok()
        .filter(|stars| (1..=5).contains(stars))
}

fn filled(scope: &Scope<'_>, at: &str) -> Option<String> {
    scope.text(at).filter(|text| !text.trim().is_empty())
}

/// The texts of a list, or the only one.
fn texts(value: Option<&Value>) -> Vec<String> {
    let all = match value {
        Some(Value::Array(list)) => list.iter().filter_map(lenient::text).collect(),
        Some(one) => lenient::text(one).into_iter().collect(),
        None => Vec::new(),
    };
    let filled = |text: &String| !text.trim().is_empty();
    all.into_iter().filter(filled).collect()
}
