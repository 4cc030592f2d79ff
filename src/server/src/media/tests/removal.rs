//! Erasure, retention, and uploads of earlier versions.

use super::*;

#[tokio::test]
async fn an_erasure_takes_what_came_before_it_and_what_was_on_its_way() {
    let world = World::new();
    let (keeper, other) = (world.keeper().await, world.keeper().await);
    let jobs = [job("a", at(10)), job("a", at(20)), job("b", at(10))];
    keeper.queue(&jobs).await.expect("queued");
    let running = world.fetch(&keeper);
    for job in &jobs {
        known(&keeper, job).await;
    }
    running.stop().await;
    let waiting = job("a", at(11));
    keeper
        .queue(std::slice::from_ref(&waiting))
        .await
        .expect("queued");
    let erasure = Erasure {
        up_to: at(15),
        at: clock::now(),
    };
    other
        .note_erasure(&citizen("a"), erasure)
        .await
        .expect("noted");
    other
        .erase(&citizen("a").tag(), erasure)
        .await
        .expect("erased");
    let removed = About::Unavailable {
        reason: Reason::Removed,
    };
    for (job, erased) in jobs.iter().zip([true, false, false]) {
        assert_eq!(known(&keeper, job).await == removed, erased);
    }
    assert_eq!(known(&keeper, &waiting).await, removed);
    assert_eq!((world.files("files"), world.files("owners")), (2, 2));

    // A fetch that began before the erasure ends after it.
    let late = job("a", at(12));
    keeper
        .queue(std::slice::from_ref(&late))
        .await
        .expect("queued");
    let running = world.fetch(&keeper);
    until("the job is done", async || world.jobs().await == 0).await;
    running.stop().await;
    assert_eq!(known(&keeper, &late).await, removed);
    // And one whose replica died after it had written: the next sweep finds it.
    let what = About::Unavailable {
        reason: Reason::Gone,
    };
    let written = keeper
        .shelf
        .give_up(&late.name, &late.tag, late.since, &what);
    written.await.expect("written");
    keeper.sweep_erasures(clock::now()).await.expect("swept");
    assert_eq!(known(&keeper, &late).await, removed);
    let notes = async || world.store.documents("media/erased/").await;
    assert_eq!(notes().await.expect("notes").len(), 1);
    let later = clock::now() + Duration::from_hours(2);
    keeper.sweep_erasures(later).await.expect("swept");
    assert_eq!(notes().await.expect("notes").len(), 0);
}

#[tokio::test]
async fn retention_removes_what_is_old_and_what_is_left_over() {
    let world = World::new();
    let keeper = world.keeper().await;
    let kept = keeper.keep_upload(&citizen("a"), upload(PNG)).await;
    let name = Name::of_reference(&kept.expect("kept").url).expect("a name");
    let media = world.folder.path().join("media");
    for half in ["files/x#1", "files/y.part"] {
        std::fs::write(media.join(half), PNG).expect("written");
    }
    // Bytes that nothing is known about.
    let lone = Name::random();
    std::fs::write(media.join("files").join(lone.as_str()), PNG).expect("written");
    let day = Duration::from_hours(24);
    let year = 365 * day;
    keeper.purge(year, clock::now()).await.expect("purged");
    assert_eq!(world.files("files"), 4);
    keeper
        .purge(year, clock::now() + day)
        .await
        .expect("purged");
    assert_eq!(world.files("files"), 2, "no half-written ones");
    let later = clock::now() + 30 * day;
    keeper.purge(year, later).await.expect("purged");
    assert_eq!(
        (world.files("files"), keeper.shelf.used()),
        (1, PNG.len() as u64)
    );
    assert!(keeper.bytes(&name).await.expect("a place").is_some());
    keeper.purge(day, later).await.expect("purged");
    for folder in ["files", "about", "owners"] {
        assert_eq!(world.files(folder), 0, "{folder}");
    }
    assert_eq!(keeper.shelf.used(), 0);
}

#[tokio::test]
async fn uploads_of_versions_before_names_keep_their_links() {
    let world = World::new();
    let keeper = world.keeper().await;
    let file = "5f1d7a84db8d2cce90b1c2d3e4f50617.png";
    let media = world.folder.path().join("media");
    let owner = media.join("owners").join(citizen("a").tag());
    for (folder, bytes) in [(media.join("files"), PNG), (owner, b"")] {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(file), bytes).expect("written");
    }
    let (bytes, sniffed) = keeper
        .older_upload(file)
        .await
        .expect("a place")
        .expect("it");
    assert_eq!((&bytes[..], sniffed.content_type), (PNG, "image/png"));
    for other in ["../store.db", "folder-id", "..", ""] {
        assert!(keeper.older_upload(other).await.expect("a place").is_none());
    }
    let url = format!("https://gop-y.example.vn/media/{file}");
    let medium = Media {
        url: url.clone(),
        ..named(&job("a", at(1)))
    };
    let told = async || {
        let told = keeper.at_delivery(&[&medium], at(1)).await.expect("told");
        told[&url].clone()
    };
    assert_eq!(
        (told().await.state, told().await.url),
        (MediaState::Available, url.clone())
    );
    let erasure = Erasure {
        up_to: at(1),
        at: at(1),
    };
    keeper
        .erase(&citizen("a").tag(), erasure)
        .await
        .expect("erased");
    assert_eq!(told().await.state, MediaState::Unavailable);
    // A messenger's own link is told as it is.
    let foreign = job("a", at(1)).media;
    let told = keeper.at_delivery(&[&foreign], at(1)).await.expect("told");
    assert!(told.is_empty());
}
