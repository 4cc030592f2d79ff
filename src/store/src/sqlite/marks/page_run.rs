//! A run: many marks that came in one stretch of time, sorted and in pages on disk.

use rusqlite::{Connection, OptionalExtension, params};

use crate::sqlite::filter::Filter;

/// So many hashes fill one database page of 4 KiB without spilling over.
pub(super) const HASHES_A_PAGE: usize = 250;
/// Row ids of a run's pages: the run's id, then 24 bits. Hashes begin at 0, fences and filter later.
const RUN_SHIFT: u32 = 24;
const FENCES_AT: i64 = 1 << 22;
const FILTER_AT: i64 = 1 << 23;
/// Fences and filter are stored in pieces of so many bytes.
const PIECE: usize = 64 * 1024;

/// What is in memory of a run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) id: i64,
    /// 0 as sealed, 1 when merged of such.
    pub(super) level: i64,
    /// When its newest mark was made, in milliseconds.
    pub(super) newest: i64,
    pub(super) marks: i64,
    /// The upper half of the first hash of each page.
    pub(super) fences: Vec<u64>,
    /// Dropped when memory is short.
    pub(super) filter: Option<Filter>,
}

/// The row id of a run's page.
pub(super) fn page_id(run: i64, page: usize) -> i64 {
    (run << RUN_SHIFT) + i64::try_from(page).unwrap_or(i64::MAX >> 1)
}

/// The row ids of everything of a run.
pub(super) fn page_ids(run: i64) -> (i64, i64) {
    (run << RUN_SHIFT, ((run + 1) << RUN_SHIFT) - 1)
}

/// The hashes of a page's blob, in order.
pub(in crate::sqlite) fn hashes(blob: &[u8]) -> impl Iterator<Item = u128> + '_ {
    blob.as_chunks::<16>()
        .0
        .iter()
        .map(|bytes| u128::from_be_bytes(*bytes))
}

/// The upper half of a hash, by which pages are found.
pub(super) fn upper(hash: u128) -> u64 {
    let [upper @ .., _, _, _, _, _, _, _, _] = hash.to_be_bytes();
    u64::from_be_bytes(upper)
}

/// Reads one page of a run; `None` past its end.
pub(in crate::sqlite) fn read_page(
    connection: &Connection,
    run: i64,
    page: usize,
) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT hashes FROM mark_pages WHERE id = ?1")?
        .query_row([page_id(run, page)], |row| row.get(0))
        .optional()
}

/// Writes one page.
pub(super) fn write_page(connection: &Connection, id: i64, blob: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO mark_pages (id, hashes) VALUES (?1, ?2)")?
        .execute(params![id, blob])?;
    Ok(())
}

impl Run {
    /// What it takes of the memory for marks.
    pub(super) fn bytes(&self) -> usize {
        self.fences.len() * size_of::<u64>() + self.filter.as_ref().map_or(0, Filter::bytes)
    }

    /// The pieces in which fences and filter are kept on disk.
    pub(super) fn index_pieces(&self) -> Vec<(i64, Vec<u8>)> {
        let start = self.id << RUN_SHIFT;
        let fences: Vec<u8> = self
            .fences
            .iter()
            .flat_map(|fence| fence.to_le_bytes())
            .collect();
        let filter = self
            .filter
            .as_ref()
            .map(Filter::to_bytes)
            .unwrap_or_default();
        let pieces = |at: i64, bytes: &[u8]| -> Vec<(i64, Vec<u8>)> {
            (start + at..)
                .zip(bytes.chunks(PIECE).map(<[u8]>::to_vec))
                .collect()
        };
        [pieces(FENCES_AT, &fences), pieces(FILTER_AT, &filter)].concat()
    }

    /// Reads fences and filter.
    pub(super) fn load_index(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let start = self.id << RUN_SHIFT;
        let fences = read_pieces(connection, start + FENCES_AT, start + FILTER_AT)?;
        self.fences = fences
            .as_chunks::<8>()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect();
        let filter = read_pieces(connection, start + FILTER_AT, (self.id + 1) << RUN_SHIFT)?;
        self.filter = Filter::from_bytes(&filter);
        Ok(())
    }

    /// Whether the run holds this hash.
    pub(super) fn contains(&self, connection: &Connection, hash: u128) -> rusqlite::Result<bool> {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.perhaps(hash))
        {
            return Ok(false);
        }
        let upper = upper(hash);
        // Hashes with an equal upper half may begin in the page before the fence that equals it.
        let first = self
            .fences
            .partition_point(|fence| *fence < upper)
            .saturating_sub(1);
        let end = self.fences.partition_point(|fence| *fence <= upper);
        for page in first..end {
            let found = connection
                .prepare_cached("SELECT hashes FROM mark_pages WHERE id = ?1")?
                .query_row([page_id(self.id, page)], |row| {
                    let blob = row.get_ref(0)?.as_blob()?;
                    Ok(blob
                        .as_chunks::<16>()
                        .0
                        .binary_search(&hash.to_be_bytes())
                        .is_ok())
                })
                .optional()?;
            if found == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn read_pieces(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<Vec<u8>> {
    let mut statement = connection
        .prepare_cached("SELECT hashes FROM mark_pages WHERE id >= ?1 AND id < ?2 ORDER BY id")?;
    let mut rows = statement.query([from, to])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        bytes.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    Ok(bytes)
}
