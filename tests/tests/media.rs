//! Photos from Messenger, end to end: names before bytes, and what an agency is told and given.

use std::time::Duration;

use bytes::Bytes;
use langnghe_tests::{
    Replica,
    graph::Medium,
    http,
    photo::{PHOTO, PhotoRoad, link, name_and_query},
    wait,
};

fn photo() -> Medium {
    Medium::Bytes(Bytes::from_static(PHOTO))
}

#[tokio::test]
async fn a_photo_is_with_us_when_the_ticket_goes_out_and_leaves_by_a_signed_link_only() {
    let place = PhotoRoad::new().await;
    let replica = place.road.installation.start().await;
    let medium = place.report(photo()).await;
    assert_eq!(medium["state"], "available");
    assert_eq!(medium["content_type"], "image/png");
    assert_eq!(medium["bytes"], PHOTO.len());
    let link = link(&medium);
    let answer = http::client().get(&link).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-disposition"),
        "inline; filename=\"image.png\""
    );
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(answer.bytes().await.expect("the photo"), PHOTO);
    let head = http::client().head(&link).send().await.expect("an answer");
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], PHOTO.len().to_string());

    let (name, query) = name_and_query(&link);
    let forged = query.replace("until=1", "until=2");
    for wrong in ["", "?", &format!("?{forged}"), "?until=1&signature=00"] {
        let address = replica.url(&format!("/media/{name}{wrong}"));
        let answer = http::client().get(address).send().await.expect("an answer");
        assert_eq!(answer.status(), 403, "{}", wrong.len());
    }
    // An operator opens it too, by a link of their own.
    let shown = place.shown();
    let (_, theirs) = shown.split_once("image/png, 1 KiB: ").expect("a link");
    let theirs = theirs.lines().next().expect("a line");
    let answer = http::client().get(theirs).send().await.expect("an answer");
    assert_eq!(answer.bytes().await.expect("the photo"), PHOTO);
    assert_eq!(place.road.graph.asked_for("photo"), 1);
    let metrics = replica.metrics().await;
    let fetched = metrics.sum("langnghe_media_fetched_total", &[("channel", "page")]);
    assert!((fetched - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn while_the_messenger_is_away_the_ticket_goes_and_its_link_leads_to_the_photo_later() {
    let mut place = PhotoRoad::new().await;
    place.road.installation.set("media.ticket_wait", "0s");
    let _replica = place.road.installation.start().await;
    let medium = place.report(Medium::Status(502)).await;
    assert_eq!(medium["state"], "fetching");
    let link = link(&medium);
    let answer = http::client().get(&link).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let shown = place.shown();
    assert!(
        shown.contains("image, still being fetched; later at http"),
        "{shown}"
    );
    place.road.graph.medium("photo", photo());
    let answer = place.until_answers(&link, 200).await;
    assert_eq!(answer.bytes().await.expect("the photo"), PHOTO);
}

#[tokio::test]
async fn a_photo_that_will_never_come_loses_no_ticket() {
    let page = Medium::Bytes(Bytes::from_static(b"<script>alert(1)</script>"));
    let large = [PHOTO, &[0; 2048]].concat();
    for (medium, reason) in [
        (Medium::Status(404), "gone"),
        (page, "kind"),
        (Medium::Bytes(large.into()), "too_large"),
        (
            Medium::At("http://127.0.0.1:9/inside".to_owned()),
            "refused",
        ),
        (
            Medium::Bytes(Bytes::from([PHOTO, b"EICAR"].concat())),
            "infected",
        ),
    ] {
        let mut place = PhotoRoad::new().await;
        let scanner = ["sh", "-c", "if grep -q EICAR; then exit 1; fi"];
        place
            .road
            .installation
            .set("media.file", "1KiB")
            .set("media.scan", scanner.map(toml::Value::from).to_vec());
        let replica = place.road.installation.start().await;
        let medium = place.report(medium).await;
        assert_eq!(medium["state"], "unavailable", "{reason}");
        assert_eq!(medium["reason"], reason);
        let answer = place.until_answers(&link(&medium), 410).await;
        let told: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(told["reason"], reason);
        assert_eq!(place.kept("files"), 0);
        let shown = place.shown();
        assert!(
            shown.contains(&format!("image, unavailable: {reason}")),
            "{shown}"
        );
        drop(replica);
    }
}

/// Between each two of these steps the program dies once.
const POINTS: [&str; 10] = [
    "stepped",
    "media-queued",
    "committed",
    "media-fetch",
    "media-fetched",
    "media-marked",
    "media-written",
    "media-known",
    "media-done",
    "delivered",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_the_program_dies_the_photo_is_there_once_and_the_ticket_tells_the_truth() {
    for point in POINTS {
        let mut place = PhotoRoad::new().await;
        // The second pass of a turn's points is that of the photo.
        let pass = if point.starts_with("media") || point == "delivered" {
            1
        } else {
            2
        };
        let installation = &mut place.road.installation;
        installation.environment("LANGNGHE_CRASH_AT", &format!("{point}:{pass}"));
        let mut dying = Replica::spawn(&place.road.installation);
        let death = async {
            let what = format!("the program dies at {point}");
            let status = dying.end(&what, Duration::from_mins(1)).await;
            assert!(!status.success(), "{what}: it stopped by itself");
            Replica::spawn_without(&place.road.installation, "LANGNGHE_CRASH_AT")
        };
        let ((), replica) = tokio::join!(place.send(photo()), death);
        let medium = place.delivered().await;
        let answer = place.until_answers(&link(&medium), 200).await;
        assert_eq!(answer.bytes().await.expect("the photo"), PHOTO, "{point}");
        wait::until("the job is done", wait::SOON, async || {
            let metrics = replica.metrics().await;
            replica.ready().await && metrics.sum("langnghe_media_waiting", &[]) < 1.0
        })
        .await;
        let kept = ["files", "about", "owners"].map(|kind| place.kept(kind));
        assert_eq!(kept, [1, 1, 1], "{point}");
        assert!(
            medium["state"] == "available" || medium["state"] == "fetching",
            "{point}"
        );
    }
}

#[tokio::test]
async fn a_citizen_who_is_forgotten_leaves_no_photo() {
    let place = PhotoRoad::new().await;
    let _replica = place.road.installation.start().await;
    let medium = place.report(photo()).await;
    let link = link(&medium);
    place.until_answers(&link, 200).await;
    let told = async |words: &str| {
        wait::until(words, wait::SOON, async || {
            let texts = place.road.graph.texts_for(&place.citizen.id);
            texts.iter().any(|text| text.contains(words))
        })
        .await;
    };
    place.citizen.says("xóa dữ liệu").await;
    told("muốn xóa").await;
    place.citizen.says("1").await;
    told("đã được xóa").await;
    let answer = place.until_answers(&link, 410).await;
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(answer["reason"], "removed");
    wait::until("nothing is left", wait::SOON, async || {
        ["files", "about", "owners"]
            .iter()
            .all(|kind| place.kept(kind) == 0)
    })
    .await;
}
