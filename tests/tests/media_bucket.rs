//! Photos in a bucket of an S3-compatible service.

use bytes::Bytes;
use langnghe_tests::{
    Replica,
    graph::Medium,
    http,
    photo::{PHOTO, PhotoRoad, link, name_and_query},
    redis::{Server, Setup},
    s3::{ACCESS_KEY, BUCKET, REGION, S3, SECRET_KEY},
    wait,
};

fn photo() -> Medium {
    Medium::Bytes(Bytes::from_static(PHOTO))
}

async fn place(bucket: &S3) -> PhotoRoad {
    let mut place = PhotoRoad::new().await;
    let installation = &mut place.road.installation;
    installation
        .set("media.url", format!("s3://{BUCKET}/citizens"))
        .set("media.endpoint", bucket.endpoint())
        .set("media.region", REGION)
        .set("media.access_key", "env:MEDIA_ACCESS_KEY")
        .set("media.secret_key", "env:MEDIA_SECRET_KEY")
        .set("media.allow_private", true)
        .environment("MEDIA_ACCESS_KEY", ACCESS_KEY)
        .environment("MEDIA_SECRET_KEY", SECRET_KEY);
    installation.private(SECRET_KEY);
    place
}

#[tokio::test]
async fn a_photo_lies_in_the_bucket_and_is_served_from_it_until_it_is_erased() {
    let bucket = S3::start().await;
    let place = place(&bucket).await;
    let _replica = place.road.installation.start().await;
    let medium = place.report(photo()).await;
    assert_eq!(medium["state"], "available");
    let link = link(&medium);
    let answer = http::client().get(&link).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.expect("the photo"), PHOTO);
    let keys = bucket.keys();
    for folder in ["about", "files", "owners"] {
        let start = format!("citizens/{folder}/");
        let count = keys.iter().filter(|key| key.starts_with(&start)).count();
        assert_eq!(count, 1, "{folder}");
    }
    place.citizen.says("xóa dữ liệu").await;
    wait::until("the citizen is asked", wait::SOON, async || {
        let texts = place.road.graph.texts_for(&place.citizen.id);
        texts.iter().any(|text| text.contains("muốn xóa"))
    })
    .await;
    place.citizen.says("1").await;
    place.until_answers(&link, 410).await;
    wait::until("nothing is left", wait::SOON, async || {
        bucket.keys().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_bucket_that_is_away_holds_up_no_conversation_and_gets_the_photo_later() {
    let bucket = S3::start().await;
    let mut place = place(&bucket).await;
    place.road.installation.set("media.ticket_wait", "0s");
    let _replica = place.road.installation.start().await;
    bucket.away(true);
    let medium = place.report(photo()).await;
    assert_eq!(medium["state"], "fetching");
    bucket.away(false);
    let answer = place.until_answers(&link(&medium), 200).await;
    assert_eq!(answer.bytes().await.expect("the photo"), PHOTO);
}

/// Where the owner of the channel dies while it fetches: by a signal while the messenger is away, or at
/// these steps.
const DEATHS: [&str; 4] = ["", "media-fetch", "media-fetched", "media-written"];

/// The photo comes to a replica that does not fetch; the one that does dies with it half done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_outlives_the_replica_that_was_fetching_it_and_both_then_show_it() {
    for death in DEATHS {
        let bucket = S3::start().await;
        let redis = Server::start(&Setup::redis()).await;
        let mut place = place(&bucket).await;
        place
            .road
            .installation
            .set("store.url", redis.url())
            .set("limits.lease", "3s")
            .set("limits.channel_lease", "3s")
            // It may die with the delivery in its hands, too.
            .set("limits.delivery_lease", "3s")
            .set("media.ticket_wait", "2s");
        let twin = place.road.installation.twin();
        let killed = death.is_empty();
        let first = if killed { Medium::Status(502) } else { photo() };
        if !killed {
            let installation = &mut place.road.installation;
            installation.environment("LANGNGHE_CRASH_AT", &format!("{death}:1"));
        }
        // Whoever is there first has the channel, and fetches.
        let mut owner = place.road.installation.start().await;
        let other = twin.start().await;
        place.citizen = place.citizen.at(&twin);
        let dies = async {
            if killed {
                wait::until("the owner tries to fetch", wait::SOON, async || {
                    place.road.graph.asked_for("photo") > 0
                })
                .await;
                owner.kill();
                place.road.graph.medium("photo", photo());
            } else {
                let status = owner.end(&format!("it dies at {death}"), wait::SOON).await;
                assert!(!status.success(), "{death}");
            }
        };
        let ((), ()) = tokio::join!(place.send(first), dies);
        let medium = place.delivered().await;
        let (name, query) = name_and_query(&link(&medium));
        let address = |replica: &Replica<'_>| replica.url(&format!("/media/{name}?{query}"));
        let answer = place.until_answers(&address(&other), 200).await;
        assert_eq!(answer.bytes().await.expect("the photo"), PHOTO, "{death}");
        let again = Replica::spawn_without(&place.road.installation, "LANGNGHE_CRASH_AT");
        let answer = place.until_answers(&address(&again), 200).await;
        assert_eq!(answer.bytes().await.expect("the photo"), PHOTO, "{death}");
        for folder in ["about", "files", "owners"] {
            let start = format!("citizens/{folder}/");
            let keys = bucket.keys();
            let count = keys.iter().filter(|key| key.starts_with(&start)).count();
            assert_eq!(count, 1, "{death}: {folder}");
        }
        let tickets = place.road.agency.tickets();
        assert_eq!(tickets.len(), 1, "{death}");
        let shown = place.shown();
        assert!(shown.contains("image/png, 1 KiB: http"), "{death}: {shown}");
        drop((again, other));
    }
}
