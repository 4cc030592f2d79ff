//! Pictures that citizens sent by MMS: they lie with Twilio, which passes on to a store of files.

use bytes::Bytes;
use http::{StatusCode, header::LOCATION};
use langnghe_connector::FetchError;
use langnghe_http::{HttpError, RequestBuilder};
use langnghe_model::event::Media;
use url::{Host, Url};

use super::Twilio;
use crate::api::wait;

/// Where Twilio passes on to.
const STORES: [&str; 3] = [".twilio.com", ".twiliocdn.com", ".amazonaws.com"];

pub(super) async fn fetch(twilio: &Twilio, media: &Media, most: u64) -> Result<Bytes, FetchError> {
    let url = Url::parse(&media.url).map_err(|_| refused("no address"))?;
    if url.origin() != twilio.api.base().origin() {
        return Err(refused("not at the provider's address"));
    }
    let request = twilio.api.request_to(&url).map_err(failed)?;
    match get(twilio, twilio.authorised(request), most).await? {
        Step::Whole(bytes) => Ok(bytes),
        Step::Elsewhere(location) => {
            let target = url.join(&location).map_err(|_| refused("no address"))?;
            let store = match target.host() {
                Some(Host::Domain(host)) => {
                    target.scheme() == "https" && STORES.iter().any(|end| host.ends_with(end))
                }
                _ => false,
            };
            if !store && target.origin() != twilio.api.base().origin() {
                return Err(refused("passed on to a foreign address"));
            }
            // The address carries its own permission; ours is not for that house.
            let request = twilio.api.request_to(&target).map_err(failed)?;
            match get(twilio, request, most).await? {
                Step::Whole(bytes) => Ok(bytes),
                Step::Elsewhere(_) => Err(refused("passed on twice")),
            }
        }
    }
}

enum Step {
    Whole(Bytes),
    Elsewhere(String),
}

async fn get(twilio: &Twilio, request: RequestBuilder, most: u64) -> Result<Step, FetchError> {
    let bound = usize::try_from(most).unwrap_or(usize::MAX);
    let answer = match twilio.api.ask_for(request, bound).await {
        Ok(answer) => answer,
        Err(HttpError::TooLarge) => return Err(FetchError::TooLarge { limit: most }),
        Err(error) => return Err(failed(error)),
    };
    let code = format!("status {}", answer.status.as_u16());
    match answer.status {
        StatusCode::OK => Ok(Step::Whole(answer.body)),
        status if status.is_redirection() => {
            let location = answer.headers.get(LOCATION);
            let location = location.and_then(|value| value.to_str().ok());
            location
                .map(|location| Step::Elsewhere(location.to_owned()))
                .ok_or_else(|| refused("passed on to nowhere"))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(FetchError::Gone { code }),
        _ => Err(FetchError::Transient {
            reason: code,
            after: wait(&answer),
        }),
    }
}

fn refused(reason: &str) -> FetchError {
    FetchError::Refused {
        reason: reason.to_owned(),
    }
}

fn failed(error: HttpError) -> FetchError {
    match error {
        HttpError::Url | HttpError::PrivateAddress | HttpError::Request => {
            refused(&error.to_string())
        }
        other => FetchError::Transient {
            reason: other.to_string(),
            after: None,
        },
    }
}
