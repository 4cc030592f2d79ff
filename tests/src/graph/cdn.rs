//! Where Meta keeps what citizens send. It lies at the API's own address, so that the program may
//! fetch from it; it takes no token.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{Path, State as Shared},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Graph, State};

/// How a medium is given out.
#[derive(Clone, Debug)]
pub enum Medium {
    /// As it is.
    Bytes(Bytes),
    /// Refused with this status.
    Status(u16),
    /// Somewhere else.
    At(String),
    /// Not within a minute.
    Stall,
}

/// The media, and how often each was asked for.
pub(super) type Shelf = HashMap<String, (Medium, usize)>;

impl Graph {
    /// Lets a medium lie under a name, from now on; gives its address.
    pub fn medium(&self, name: &str, medium: Medium) -> String {
        let mut book = self.state.book();
        let asked = book.media.get(name).map_or(0, |(_, asked)| *asked);
        book.media.insert(name.to_owned(), (medium, asked));
        format!("{}/cdn/{name}", self.api_base())
    }

    /// How often a medium was asked for.
    pub fn asked_for(&self, name: &str) -> usize {
        self.state
            .book()
            .media
            .get(name)
            .map_or(0, |(_, asked)| *asked)
    }
}

pub(super) async fn medium(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let medium = {
        let mut book = state.book();
        if headers.contains_key(header::AUTHORIZATION) {
            book.violations
                .push("the token was sent to where media lie".to_owned());
        }
        let Some((medium, asked)) = book.media.get_mut(&name) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        *asked += 1;
        medium.clone()
    };
    match medium {
        Medium::Bytes(bytes) => bytes.into_response(),
        Medium::Status(status) => StatusCode::from_u16(status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response(),
        Medium::At(url) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
        Medium::Stall => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}
