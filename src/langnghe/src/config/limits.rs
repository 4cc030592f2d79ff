//! `[limits]`: every bound, with the least and the most that makes sense.

use std::time::Duration;

use langnghe_server::{Flood, Settings};
use langnghe_store::Limits;

use super::reader::Section;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);
const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * 1024;

pub(super) fn read(section: Section<'_>, settings: &mut Settings, store: &mut Limits) {
    let put = |place: &mut usize, key, least, most| {
        if let Some(count) = section.count(key, least, most) {
            *place = count;
        }
    };
    put(
        &mut settings.requests_at_once,
        "requests_at_once",
        1,
        1_000_000,
    );
    put(&mut settings.sends_at_once, "sends_at_once", 1, 10_000);
    put(
        &mut settings.deliveries_at_once,
        "deliveries_at_once",
        1,
        10_000,
    );
    put(&mut store.inbox, "inbox", 1, 100_000_000);
    put(
        &mut store.inbox_a_conversation,
        "inbox_per_citizen",
        1,
        100_000,
    );
    put(&mut store.operations, "operations", 16, 10_000_000);
    let size = |place: &mut usize, key, least, most| {
        if let Some(size) = section.size(key, least, most)
            && let Ok(size) = usize::try_from(size)
        {
            *place = size;
        }
    };
    size(&mut settings.body_bytes, "body", KIB, GIB);
    size(&mut store.dedup_memory, "dedup_memory", 64 * KIB, 64 * GIB);
    if let Some(time) = section.duration("request_time", SECOND, 60 * SECOND) {
        settings.request_time = time;
    }
    if let Some(time) = section.duration("retry_after", SECOND, 3600 * SECOND) {
        settings.retry_after = time;
    }
    if let Some(time) = section.duration("lease", SECOND, 3600 * SECOND) {
        settings.lease = time;
    }
    // Below a second a busy machine would lose channels for nothing; above minutes a dead sender's
    // citizens wait too long.
    if let Some(time) = section.duration("channel_lease", SECOND, 300 * SECOND) {
        settings.channel_lease = time;
    }
    if let Some(time) = section.duration("delivery_lease", SECOND, 3600 * SECOND) {
        settings.delivery_lease = time;
    }
    if let Some(time) = section.duration("dedup_window", 60 * SECOND, 365 * DAY) {
        settings.retention.dedup = time;
    }
    flood(section.section("flood", "flood"), &mut settings.flood);
    section.finish();
}

fn flood(section: Section<'_>, flood: &mut Flood) {
    if let Some(messages) = section.count("messages", 1, 1_000_000) {
        flood.messages = u32::try_from(messages).unwrap_or(u32::MAX);
    }
    if let Some(per) = section.duration("per", SECOND, DAY) {
        flood.per = per;
    }
    section.finish();
}
