//! What axe-core finds wrong on a page.

use serde::Deserialize;

use crate::browser::Browser;

/// See `vendor/axe-core/README.md`.
const AXE: &str = include_str!("../vendor/axe-core/axe.min.js");

#[derive(Deserialize)]
struct Violation {
    id: String,
    impact: Option<String>,
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    html: String,
    #[serde(rename = "failureSummary")]
    summary: Option<String>,
}

/// The serious and critical findings on the page as it is now, one text each.
///
/// # Panics
/// When axe-core cannot look at the page.
pub async fn findings(browser: &Browser) -> Vec<String> {
    browser.run(AXE).await;
    let look = "axe.run().then((found) => done(found.violations), (error) => done(String(error)))";
    let found = browser.run_async(look).await;
    let violations: Vec<Violation> =
        serde_json::from_value(found.clone()).unwrap_or_else(|_| panic!("axe-core says: {found}"));
    let grave = |violation: &&Violation| {
        matches!(violation.impact.as_deref(), Some("serious" | "critical"))
    };
    let text = |violation: &Violation| {
        let nodes = violation.nodes.iter().map(|node| {
            format!(
                "{}\n  {}",
                node.html,
                node.summary.as_deref().unwrap_or_default()
            )
        });
        format!(
            "{}:\n  {}",
            violation.id,
            nodes.collect::<Vec<_>>().join("\n  ")
        )
    };
    violations.iter().filter(grave).map(text).collect()
}
