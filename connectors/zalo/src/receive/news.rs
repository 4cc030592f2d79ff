//! News of the account that asks nothing of us: logged and counted under its name. What an operator may have
//! to act on is told in the log with its facts, none of which is a citizen's.

use langnghe_model::{Event, EventKind};

use super::scope::Scope;

/// What changed about templates and their quota.
const OPERATORS: [&str; 5] = [
    "change_template_status",
    "change_template_quality",
    "change_template_quota",
    "change_oa_daily_quota",
    "change_oa_template_tags",
];

/// What happens on the account beside conversations: tags and profiles that staff keep, calls, the shop, widgets
/// of web pages, journeys of templates.
const OTHERS: [&str; 14] = [
    "add_user_to_tag",
    "remove_user_from_tag",
    "remove_tag",
    "update_user_info",
    "widget_interaction_accepted",
    "widget_failed_to_sync_user_external_id",
    "oa_send_consent",
    "user_reply_consent",
    "user_call_oa",
    "oa_call_user",
    "shop_has_order",
    "extension_purchased",
    "event_journey_acknowledged",
    "event_journey_time_out",
];

/// What happens in groups. Sources differ in the words, so more is known by its beginning.
const GROUPS: [&str; 9] = [
    "create_group",
    "delete_group",
    "update_group_info",
    "user_join_group",
    "user_out_group",
    "user_leave_group",
    "user_request_join_group",
    "add_group_admin",
    "remove_group_admin",
];
const IN_GROUPS: [&str; 2] = ["user_send_group_", "oa_send_group_"];

/// The word under which all news of groups is counted.
const GROUP: &str = "group";

/// The event that the body becomes; `None` for what is none of this.
pub(super) fn event(scope: &Scope<'_>) -> Option<Event> {
    let name = scope.name();
    let name = if OPERATORS.contains(&&*name) {
        tell(scope, &name);
        name.into_owned()
    } else if OTHERS.contains(&&*name) {
        name.into_owned()
    } else if GROUPS.contains(&&*name) || IN_GROUPS.iter().any(|begin| name.starts_with(begin)) {
        // What is said in groups is not said to us, and is not kept.
        GROUP.to_owned()
    } else {
        return None;
    };
    let id = scope.digest_id("news");
    Some(scope.made(id, scope.account(), EventKind::AccountNews { name }))
}

/// Tells operators what changed: from what, to what.
fn tell(scope: &Scope<'_>, name: &str) {
    let fact = |places: [&str; 2]| {
        let found = places.iter().find_map(|at| scope.text(at));
        found.map(|fact| fact.chars().take(200).collect::<String>())
    };
    let template = fact(["/template_id", "/message/template_id"]);
    let before = fact(["/status/prev_status", "/quota/prev_value"])
        .or_else(|| fact(["/quality/prev_quality", "/prev_value"]));
    let now = fact(["/status/new_status", "/quota/new_value"])
        .or_else(|| fact(["/quality/new_quality", "/new_value"]));
    let reason = fact(["/reason", "/message/reason"]);
    tracing::warn!(channel = %scope.channel, news = name, template, before, now, reason,
        "Zalo changed something about templates; see docs/channels/zalo.md");
}
