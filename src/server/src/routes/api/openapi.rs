//! The OpenAPI document, put together from the parts that lie beside the routes, so that no route is
//! without its description.

use axum::{Router, http::header, routing::get};
use serde_json::{Map, Value, json};

use super::Endpoint;

/// What all endpoints share.
const FRAME: &str = include_str!("openapi.json");

/// The whole document as text.
pub(super) fn document(endpoints: &[Endpoint]) -> String {
    let mut document = parsed(FRAME);
    for endpoint in endpoints {
        let mut part = parsed(endpoint.document);
        let mut item = part["path"].take();
        if let Some(operations) = item.as_object_mut() {
            operations.values_mut().for_each(add_common_answers);
        }
        document["paths"][format!("/api/v1{}", endpoint.path)] = item;
        let schemas = part["schemas"].as_object().cloned().unwrap_or_default();
        for (name, schema) in schemas {
            document["components"]["schemas"][name] = schema;
        }
    }
    document.to_string()
}

fn parsed(text: &'static str) -> Value {
    serde_json::from_str(text).expect("the parts of the document are JSON; a test reads them")
}

/// What any request may be answered.
fn add_common_answers(operation: &mut Value) {
    let Some(answers) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let common: [(&str, &str); 4] = [
        ("401", "There is no token, or a wrong one."),
        (
            "403",
            "The API is off: the configuration has no [api] token.",
        ),
        (
            "503",
            "Not now: the store is away or slow. Try again after Retry-After.",
        ),
        ("default", "Something is wrong with the request."),
    ];
    for (status, description) in common {
        let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        let answer: Map<_, _> = [
            ("description".to_owned(), description.into()),
            ("content".to_owned(), content),
        ]
        .into_iter()
        .collect();
        answers
            .entry(status)
            .or_insert_with(|| Value::Object(answer));
    }
}

/// Gives the document out to everybody: it tells nothing of this installation.
pub(super) fn router<S: Clone + Send + Sync + 'static>(document: String) -> Router<S> {
    let answer = async move || ([(header::CONTENT_TYPE, "application/json")], document);
    Router::new().route("/api/openapi.json", get(answer))
}
