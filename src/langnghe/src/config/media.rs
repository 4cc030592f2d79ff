//! `[media]`: where media are kept, how they are fetched, and how long links to them are good for.

use std::{ops::Range, time::Duration};

use langnghe_model::Problem;
use langnghe_server::{MediaPlace, MediaSettings, S3Settings, ScanSettings};

use super::{reader::Section, secrets::Surroundings};

const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * 1024;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// Reads the section.
pub(super) fn read(
    section: Section<'_>,
    surroundings: &Surroundings<'_>,
    settings: &mut MediaSettings,
) {
    if let Some(place) = place(&section, surroundings) {
        settings.place = place;
    }
    bounds(&section, settings);
    fetching(&section, settings);
    settings.scan = scan(&section);
    section.finish();
}

/// Keys that mean something where media are kept in a bucket only.
const BUCKET_KEYS: [&str; 5] = [
    "endpoint",
    "region",
    "access_key",
    "secret_key",
    "allow_private",
];

fn place(section: &Section<'_>, surroundings: &Surroundings<'_>) -> Option<MediaPlace> {
    let folder = surroundings.folder;
    let path = section.path("path", folder);
    let Some(url) = section.text("url") else {
        for key in BUCKET_KEYS {
            if let Some(place) = section.key(key) {
                no_effect(
                    section,
                    key,
                    place,
                    "it is for a bucket: `url` = \"s3://…\"",
                );
            }
        }
        return Some(MediaPlace::Folder(
            path.unwrap_or_else(|| folder.join("data/media")),
        ));
    };
    if let Some(place) = section.key("path") {
        no_effect(section, "path", place, "`url` says where media are kept");
    }
    let bucket = url.value.strip_prefix("s3://").unwrap_or_default();
    let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
    if bucket.is_empty() || bucket.contains(['@', ':', '?']) {
        section.error(
            "config::media-url",
            "`url` of [media] names no bucket",
            url.span,
            "not s3://bucket or s3://bucket/prefix",
            "for example: url = \"s3://langnghe-media\"; the service's address is `endpoint`",
        );
        return None;
    }
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    let region = section.text("region").map(|text| text.value);
    let endpoint = section.url("endpoint").map(|url| url.value.to_string());
    let access_key = section.secret("access_key", surroundings);
    let secret_key = section.secret("secret_key", surroundings);
    Some(MediaPlace::S3(Box::new(S3Settings {
        bucket: bucket.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        region: region.unwrap_or_else(|| "us-east-1".to_owned()),
        endpoint,
        access_key: access_key?,
        secret_key: secret_key?,
        allow_private,
    })))
}

fn no_effect(section: &Section<'_>, key: &str, place: Range<usize>, why: &str) {
    let problem = Problem::warning("config::no-effect", format!("`{key}` has no effect here"))
        .at(section.reader().source(), place, "has no effect")
        .help(why);
    section.reader().report(problem);
}

fn bounds(section: &Section<'_>, settings: &mut MediaSettings) {
    if let Some(size) = section.size("file", KIB, 4 * GIB) {
        settings.file_bytes = size;
    }
    if let Some(size) = section.size("total", KIB, 1024 * 1024 * GIB) {
        settings.total_bytes = size;
    }
    if let Some(files) = section.count("files_per_citizen", 1, 1_000_000) {
        settings.files_a_citizen = files;
    }
    if let Some(waiting) = section.count("waiting", 1, 1_000_000) {
        settings.waiting = waiting;
    }
    if let Some(lifetime) = section.duration("link_lifetime", 60 * SECOND, 3650 * 24 * HOUR) {
        settings.link_lifetime = lifetime;
    }
}

fn fetching(section: &Section<'_>, settings: &mut MediaSettings) {
    if let Some(fetches) = section.count("fetches_at_once", 1, 256) {
        settings.fetches_at_once = fetches;
    }
    if let Some(time) = section.duration("fetch_time", SECOND, HOUR) {
        settings.fetch_time = time;
    }
    if let Some(time) = section.duration("give_up", SECOND, 30 * 24 * HOUR) {
        settings.give_up = time;
    }
    if let Some(time) = section.duration("ticket_wait", Duration::ZERO, 60 * SECOND) {
        settings.ticket_wait = time;
    }
}

fn scan(section: &Section<'_>) -> Option<ScanSettings> {
    let timeout = section
        .duration("scan_time", SECOND, HOUR)
        .unwrap_or(60 * SECOND);
    let place = section.key("scan")?;
    let mut words = section.texts("scan").into_iter().map(|text| text.value);
    let Some(program) = words.next().filter(|program| !program.is_empty()) else {
        section.error(
            "config::scan",
            "`scan` names no program",
            place,
            "a list: the program, then its arguments",
            "for example: scan = [\"clamdscan\", \"--no-summary\", \"-\"]",
        );
        return None;
    };
    Some(ScanSettings {
        program,
        arguments: words.collect(),
        timeout,
    })
}
