//! The demo's front page: the three people, where each of them looks, how to stop.

use std::path::Path;

use axum::{
    Router,
    http::{HeaderName, header},
    response::Html,
    routing::get,
};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// The route `/`.
pub(crate) fn router(data: &Path) -> Router {
    let page = include_str!("front_page.html")
        .replace("{folder}", &escape(&data.display().to_string()))
        .replace("{version}", env!("CARGO_PKG_VERSION"));
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Router::new().route("/", get(async move || (headers, Html(page))))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn the_name_of_a_folder_is_no_markup() {
        assert_eq!(escape("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
    }
}
