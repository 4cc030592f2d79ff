//! Copies everything from one store into an empty one, and goes on where it was interrupted.

use crate::{
    StoreError,
    archive::{Archive, Batch, Census, CopyMark, Record, RecordKind},
};

/// About how many records go at once.
pub const COPY_LIMIT: usize = 500;
/// How often the counts are compared before they are found to differ.
const LOOKS: u32 = 3;

/// Why a copy was not made or not finished.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A store could not be read or written; what is copied so far stays.
    #[error("the {side}: {error}")]
    Store {
        /// Which.
        side: Side,
        /// Why.
        error: StoreError,
    },
    /// Somebody uses a store.
    #[error("the {side} is in use: {user}")]
    InUse {
        /// Which.
        side: Side,
        /// Who.
        user: String,
    },
    /// The source is itself the unfinished target of another copy.
    #[error("the source holds an unfinished copy of {of}")]
    SourceUnfinished {
        /// Where that came from.
        of: String,
    },
    /// The target holds something already.
    #[error("the target is not empty")]
    NotEmpty(Box<Census>),
    /// The target holds an unfinished copy of something else.
    #[error("the target holds an unfinished copy of {of}")]
    OtherCopy {
        /// Where that came from.
        of: String,
    },
    /// The source was served since the unfinished copy began.
    #[error("the source is not what it was when this copy began")]
    SourceChanged,
    /// The counts differ at the end.
    #[error("the target does not hold what the source holds")]
    Unequal {
        /// What the source holds.
        source_census: Box<Census>,
        /// What the target holds.
        target_census: Box<Census>,
        /// How many marks of the source the target does not know.
        missing_marks: u64,
    },
}

/// One of the two stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the records come from.
    Source,
    /// Where they go.
    Target,
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It goes on where an earlier one was interrupted.
    Resumed,
    /// So many records of a kind are copied.
    Copied {
        /// Which kind.
        kind: RecordKind,
        /// How many.
        done: u64,
        /// How many there are, where that is known.
        total: Option<u64>,
    },
    /// All records are copied; the counts are compared.
    Verifying,
}

/// Copies everything from `from`, which people know as `name`, to `to`, and verifies the counts. Says
/// what both hold now.
///
/// # Errors
/// [`CopyError`].
pub async fn copy(
    from: &dyn Archive,
    to: &dyn Archive,
    name: &str,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Census, CopyError> {
    for (store, side) in [(from, Side::Source), (to, Side::Target)] {
        if let Some(user) = store.used_by().await.map_err(at(side))? {
            return Err(CopyError::InUse { side, user });
        }
    }
    if let Some(mark) = from.copy_mark().await.map_err(at(Side::Source))? {
        return Err(CopyError::SourceUnfinished { of: mark.source });
    }
    let census = from.census().await.map_err(at(Side::Source))?;
    let activity = from.activity().await.map_err(at(Side::Source))?;
    let mut mark = begin(to, name, stamp(&activity, &census), tell).await?;
    while let Some(kind) = mark.kind {
        let page = from
            .export(kind, mark.after.as_ref(), COPY_LIMIT)
            .await
            .map_err(at(Side::Source))?;
        let (first, done) = (mark.copied + 1, mark.copied + page.records.len() as u64);
        (mark.copied, mark.after) = (done, page.next);
        if mark.after.is_none() {
            (mark.kind, mark.copied) = (kind.next(), 0);
        }
        let batch = Batch {
            records: page.records,
            first,
            mark: mark.clone(),
        };
        to.import(batch).await.map_err(at(Side::Target))?;
        let total = census.of(kind);
        tell(Progress::Copied { kind, done, total });
    }
    tell(Progress::Verifying);
    let census = verify(from, to).await?;
    to.set_copy_mark(None).await.map_err(at(Side::Target))?;
    Ok(census)
}

fn at(side: Side) -> impl Fn(StoreError) -> CopyError {
    move |error| CopyError::Store { side, error }
}

/// What a store that nobody serves keeps the same. Marks and sessions are left out: they may run
/// out by themselves.
fn stamp(activity: &str, census: &Census) -> String {
    let lasting = Census {
        marks: 0,
        sessions: 0,
        ..*census
    };
    let counts = lasting.rows().map(|(_, count)| count.to_string());
    format!("{activity} {}", counts.join(" "))
}

/// Where the copy begins or goes on.
async fn begin(
    to: &dyn Archive,
    name: &str,
    stamp: String,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<CopyMark, CopyError> {
    if let Some(mark) = to.copy_mark().await.map_err(at(Side::Target))? {
        if mark.source != name {
            return Err(CopyError::OtherCopy { of: mark.source });
        }
        if mark.stamp != stamp {
            return Err(CopyError::SourceChanged);
        }
        tell(Progress::Resumed);
        return Ok(mark);
    }
    let held = to.census().await.map_err(at(Side::Target))?;
    if !held.is_empty() {
        return Err(CopyError::NotEmpty(Box::new(held)));
    }
    let mark = CopyMark {
        source: name.to_owned(),
        stamp,
        kind: Some(RecordKind::ALL[0]),
        after: None,
        copied: 0,
    };
    to.set_copy_mark(Some(mark.clone()))
        .await
        .map_err(at(Side::Target))?;
    Ok(mark)
}

/// Compares what both hold.
async fn verify(from: &dyn Archive, to: &dyn Archive) -> Result<Census, CopyError> {
    let mut looked = 0;
    let (source, target) = loop {
        let source = from.census().await.map_err(at(Side::Source))?;
        let target = to.census().await.map_err(at(Side::Target))?;
        // Between the two looks an idle session may have run out.
        looked += 1;
        if source.sessions == target.sessions || looked == LOOKS {
            break (source, target);
        }
    };
    // Some stores count a mark twice, and some let marks run out meanwhile.
    let missing_marks = if source.marks == target.marks {
        0
    } else {
        missing_marks(from, to).await?
    };
    let other_than_marks = Census {
        marks: source.marks,
        ..target
    };
    if missing_marks == 0 && other_than_marks == source {
        return Ok(target);
    }
    Err(CopyError::Unequal {
        source_census: Box::new(source),
        target_census: Box::new(target),
        missing_marks,
    })
}

async fn missing_marks(from: &dyn Archive, to: &dyn Archive) -> Result<u64, CopyError> {
    let (mut after, mut missing) = (None, 0);
    loop {
        let page = from
            .export(RecordKind::Mark, after.as_ref(), COPY_LIMIT)
            .await
            .map_err(at(Side::Source))?;
        let keys = page.records.iter().filter_map(|record| match record {
            Record::Mark { key, at } => Some((*key, *at)),
            _ => None,
        });
        missing += to.lacks(keys.collect()).await.map_err(at(Side::Target))?;
        after = page.next;
        if after.is_none() {
            return Ok(missing);
        }
    }
}
