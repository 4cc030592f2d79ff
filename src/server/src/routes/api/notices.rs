//! `/api/v1/tickets/{code}/notices`: tells the citizen of a ticket something, and what became of it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use langnghe_model::{Purpose, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ApiError, Endpoint, JsonBody};
use crate::{
    NoticeProblem, NoticeRequest, NoticeState, clock, notice_states, routes::Shared, take_notice,
};

/// Notices of a ticket.
pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        path: "/tickets/{code}/notices",
        route: post(take).get(list),
        document: include_str!("notices.json"),
    }
}

/// What is to be told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    text: String,
    #[serde(default)]
    template: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default = "notice")]
    purpose: Purpose,
    #[serde(default)]
    deadline: Option<String>,
}

fn notice() -> Purpose {
    Purpose::Notice
}

/// That it was taken.
#[derive(Debug, Serialize)]
struct Taken {
    id: String,
    /// The same request came before, and nothing was added.
    repeated: bool,
}

/// All notices of a ticket.
#[derive(Debug, Serialize)]
struct Notices {
    notices: Vec<NoticeState>,
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Body>,
) -> Result<(StatusCode, Json<Taken>), ApiError> {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .ok_or_else(|| {
            let detail =
                "send `Idempotency-Key`: a repetition with the same key tells nobody twice";
            ApiError::new(StatusCode::BAD_REQUEST, "idempotency_key", detail)
        })?;
    let deadline = body.deadline.as_deref().map(moment).transpose()?;
    let request = NoticeRequest {
        text: body.text,
        template: body.template,
        parameters: body.parameters,
        purpose: body.purpose,
        deadline,
        key: key.to_owned(),
    };
    let taken = take_notice(shared.store.as_ref(), &code, request, clock::now()).await;
    let taken = taken.map_err(|problem| refusal(&problem, &shared))?;
    let answer = Taken {
        id: taken.id,
        repeated: taken.repeated,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

fn moment(text: &str) -> Result<Timestamp, ApiError> {
    let moment = text.parse::<jiff::Timestamp>().map_err(|_| {
        let detail = "write `deadline` as in RFC 3339: 2026-11-22T17:00:00+07:00";
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "deadline", detail)
    })?;
    Ok(Timestamp::from_milliseconds(moment.as_millisecond()))
}

fn refusal(problem: &NoticeProblem, shared: &Shared) -> ApiError {
    let wait = shared.settings.retry_after.as_secs();
    let detail = problem.to_string();
    let (status, code) = match problem {
        NoticeProblem::UnknownTicket => return ApiError::not_found(detail),
        NoticeProblem::Erased => (StatusCode::GONE, "erased"),
        NoticeProblem::Empty => (StatusCode::UNPROCESSABLE_ENTITY, "text_empty"),
        NoticeProblem::TooLong(_) => (StatusCode::UNPROCESSABLE_ENTITY, "text_too_long"),
        NoticeProblem::NoTemplate => (StatusCode::UNPROCESSABLE_ENTITY, "no_template"),
        NoticeProblem::Late => (StatusCode::UNPROCESSABLE_ENTITY, "deadline"),
        NoticeProblem::Key => (StatusCode::BAD_REQUEST, "idempotency_key"),
        NoticeProblem::Busy => return ApiError::unavailable("busy", &detail, wait),
        NoticeProblem::Store(error) => {
            tracing::warn!(%error, "a notice was not taken");
            let detail = "the store does not answer";
            return ApiError::unavailable("store_unavailable", detail, wait);
        }
    };
    ApiError::new(status, code, detail)
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(code): Path<String>,
) -> Result<Json<Notices>, ApiError> {
    let ticket = shared.store.ticket(&code).await;
    let ticket = ticket.map_err(|error| refusal(&error.into(), &shared))?;
    let ticket = ticket.ok_or_else(|| refusal(&NoticeProblem::UnknownTicket, &shared))?;
    Ok(Json(Notices {
        notices: notice_states(&ticket),
    }))
}
