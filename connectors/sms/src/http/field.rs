//! Where something lies in a request: `query:from`, `form:msg`, `json:/data/0/text`, `header:x-id`.

use std::collections::BTreeMap;

use langnghe_connector::WebhookRequest;
use serde_json::Value;

/// Where something lies in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// A field of the query.
    Query(String),
    /// A field of a form in the body.
    Form(String),
    /// A JSON pointer into the body.
    Json(String),
    /// A header.
    Header(String),
}

/// Why a text names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as query:NAME, form:NAME, header:NAME or json:/POINTER")]
pub struct FieldError;

impl std::str::FromStr for Field {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let (place, name) = text.split_once(':').ok_or(FieldError)?;
        let owned = name.to_owned();
        match place {
            _ if name.is_empty() => Err(FieldError),
            "query" => Ok(Self::Query(owned)),
            "form" => Ok(Self::Form(owned)),
            "json" if name.starts_with('/') => Ok(Self::Json(owned)),
            "header" => Ok(Self::Header(owned.to_ascii_lowercase())),
            _ => Err(FieldError),
        }
    }
}

/// A request taken apart once.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    request: &'a WebhookRequest<'a>,
    query: BTreeMap<String, String>,
    form: BTreeMap<String, String>,
    json: Option<Value>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(request: &'a WebhookRequest<'a>) -> Self {
        let fields = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect();
        let json = serde_json::from_slice(request.body).ok();
        Self {
            request,
            query: fields(request.query.as_bytes()),
            form: if json.is_some() {
                BTreeMap::new()
            } else {
                fields(request.body)
            },
            json,
        }
    }

    /// What lies there, as text; `None` for nothing.
    pub(super) fn get(&self, field: &Field) -> Option<String> {
        let found = match field {
            Field::Query(name) => self.query.get(name).cloned(),
            Field::Form(name) => self.form.get(name).cloned(),
            Field::Header(name) => {
                let value = self.request.headers.get(name)?;
                value.to_str().ok().map(str::to_owned)
            }
            Field::Json(pointer) => match self.json.as_ref()?.pointer(pointer)? {
                Value::String(text) => Some(text.clone()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
                other => Some(other.to_string()),
            },
        };
        found.filter(|text| !text.is_empty())
    }

    /// All of it, for what is not known.
    pub(super) fn raw(&self) -> Value {
        match &self.json {
            Some(json) => json.clone(),
            None => serde_json::json!({ "query": self.query, "form": self.form }),
        }
    }
}
