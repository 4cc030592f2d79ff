//! Photos in a bucket of an S3-compatible service.

use bytes::Bytes;
use langnghe_tests::{
    graph::Medium,
    http,
    photo::{PHOTO, PhotoRoad, link},
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
