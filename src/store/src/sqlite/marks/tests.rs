use std::{
    path::Path,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::{Limits, OpenMode, SqliteStore, Store, StoreError, sqlite::writer::Handle};

/// A key as real ones are.
fn hash(number: u64) -> u128 {
    let digest = Sha256::digest(number.to_le_bytes());
    u128::from_be_bytes(digest[..16].try_into().expect("16 bytes"))
}

fn open(path: &Path, memory: usize) -> SqliteStore {
    let limits = Limits {
        dedup_memory: memory,
        ..Limits::default()
    };
    SqliteStore::open(path, limits, OpenMode::Serve).expect("the store opens")
}

/// Marks numbers `from..to` through the writer, as accepts do, and lets the sealing keep pace.
async fn load(store: &SqliteStore, from: u64, to: u64, memory: usize) {
    let writer = store.writer().expect("it serves");
    for start in (from..to).step_by(5000) {
        let end = to.min(start + 5000);
        writer
            .write(move |state| {
                (start..end).for_each(|number| state.marks.insert(hash(number), at(number)));
                Ok(())
            })
            .await
            .expect("write");
        let bytes = until(writer, |marks| !marks.is_behind()).await;
        assert!(bytes <= memory, "{bytes} of {memory} bytes");
    }
}

/// A thousand marks a second.
fn at(number: u64) -> i64 {
    i64::try_from(number).expect("small")
}

/// Waits until the marks are as told; what they take then.
async fn until(writer: &Handle, told: fn(&super::Marks) -> bool) -> usize {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let (there, bytes) = writer
            .after(move |state| Ok((told(&state.marks), state.marks.bytes())))
            .await
            .expect("after");
        if there {
            return bytes;
        }
        assert!(Instant::now() < deadline, "the sealing does not get there");
        tokio::task::yield_now().await;
    }
}

/// How many of these numbers are marked, and how long one look-up took.
async fn found(store: &SqliteStore, numbers: Vec<u64>) -> (usize, Duration) {
    let count = u32::try_from(numbers.len()).expect("few");
    let hashes: Vec<u128> = numbers.into_iter().map(hash).collect();
    store
        .writer()
        .expect("it serves")
        .after(move |state| {
            let began = Instant::now();
            let mut found = 0;
            for hash in &hashes {
                found += usize::from(state.marks.contains(&state.connection, *hash)?);
            }
            Ok((found, began.elapsed() / count))
        })
        .await
        .expect("after")
}

/// Far more marks than the memory holds: all are found, on disk or in memory, also after reopening,
/// and they expire. `LANGNGHE_MARKS` and `LANGNGHE_MARKS_MEMORY` set other sizes.
#[tokio::test(flavor = "multi_thread")]
async fn old_marks_are_found_on_disk_and_memory_stays_bounded() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let count = number("LANGNGHE_MARKS", 400_000);
    let memory = usize::try_from(number("LANGNGHE_MARKS_MEMORY", 256 * 1024)).expect("small");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("langnghe.db");
    let store = open(&path, memory);
    let began = Instant::now();
    load(&store, 0, count, memory).await;
    println!("{count} marks loaded in {:?}", began.elapsed());

    let sample = || {
        (0..count)
            .step_by(usize::try_from(count / 2000).expect("small"))
            .collect()
    };
    let strangers: Vec<u64> = (count..count + 2000).collect();
    let (old, time) = found(&store, sample()).await;
    println!("look-up of an old mark {time:?}");
    assert_eq!(old, 2000);
    let (new, time) = found(&store, strangers.clone()).await;
    println!("look-up of a new mark {time:?}");
    assert_eq!(new, 0);
    drop(store);

    let began = Instant::now();
    let store = open(&path, memory);
    println!("reopened in {:?}", began.elapsed());
    let writer = store.writer().expect("it serves");
    let bytes = until(writer, |marks| !marks.is_behind()).await;
    println!("{bytes} of {memory} bytes taken");
    assert!(bytes <= memory, "{bytes} of {memory} bytes");
    assert_eq!(found(&store, sample()).await.0, 2000);
    assert_eq!(found(&store, strangers).await.0, 0);

    let window = crate::Retention {
        dedup: Duration::from_millis(count / 4),
        idle_sessions: Duration::from_hours(1),
        dead_letters: Duration::from_hours(1),
        personal: Duration::from_hours(1),
    };
    let now = langnghe_model::Timestamp::from_milliseconds(at(count));
    let began = Instant::now();
    let purged = loop {
        // Runs that are being merged wait for the next purge.
        until(writer, |marks| !marks.is_behind()).await;
        let purged = store.purge(window, now).await.expect("purge").marks;
        if purged > 0 {
            break purged;
        }
    };
    println!("{purged} marks purged in {:?}", began.elapsed());
    assert!(purged > 0 && purged <= count * 3 / 4);
    let live = (count * 3 / 4..count).step_by(97).collect::<Vec<_>>();
    assert_eq!(
        found(&store, live.clone()).await.0,
        live.len(),
        "within the window"
    );
    store.close().await.expect("close");
}

/// Half a run on disk is no run.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_sealing_loses_no_mark() {
    let memory = 64 * 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("langnghe.db");
    for round in 0..10_u64 {
        let store = open(&path, memory);
        let writer = store.writer().expect("it serves");
        writer
            .write(move |state| {
                let numbers = round * 3000..(round + 1) * 3000;
                numbers.for_each(|number| state.marks.insert(hash(number), at(number)));
                Ok(())
            })
            .await
            .expect("write");
        // Dropped at some point of the sealing that this started.
        for _ in 0..round * 3 {
            drop(writer.after(|_| Ok(())).await as Result<(), StoreError>);
        }
        drop(store);
    }
    let store = open(&path, memory);
    let all: Vec<u64> = (0..30_000).step_by(7).collect();
    assert_eq!(found(&store, all.clone()).await.0, all.len());
}
