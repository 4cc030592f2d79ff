//! What the demo's agency has received: one line of JSON a ticket, in a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use langnghe_desk::ticket::Ticket;
use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most tickets that a demo keeps.
const MOST_TICKETS: usize = 5_000;
/// The longest line that can have been written: an event, its id and its time.
const LONGEST_LINE: u64 = 1024 * 1024;

/// One ticket as received.
pub(super) struct Entry {
    /// `webhook-id`.
    pub(super) id: String,
    /// When it came first.
    pub(super) received_at: Timestamp,
    /// The event, whole.
    pub(super) event: Value,
    /// The ticket in it.
    pub(super) ticket: Ticket,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    received_at: Timestamp,
    event: Value,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is on disk, under this number.
    New { number: usize },
    /// It was there already, under this number.
    Repeated { number: usize },
    /// There is no room.
    Full,
}

/// All tickets, and the file that they are in.
pub(super) struct Ledger {
    file: File,
    length: u64,
    entries: Vec<Entry>,
    repetitions: usize,
    /// Set when half a line stands at the end and cannot be removed.
    damaged: bool,
}

impl Ledger {
    /// Opens the file and reads what is in it. A last line that a crash cut off was never answered
    /// for, so it is removed: the ticket comes again.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let mut reader = BufReader::new(file);
        let (mut entries, mut length) = (Vec::new(), 0);
        loop {
            let mut line = Vec::new();
            let read = reader
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            length += read as u64;
            entries.extend(decode(&line));
        }
        let mut file = reader.into_inner();
        file.set_len(length)?;
        file.seek(io::SeekFrom::End(0))?;
        Ok(Self {
            file,
            length,
            entries,
            repetitions: 0,
            damaged: false,
        })
    }

    /// Keeps a ticket, unless it is there.
    pub(super) fn keep(&mut self, entry: Entry) -> io::Result<Kept> {
        if let Some(place) = self.entries.iter().position(|kept| kept.id == entry.id) {
            self.repetitions += 1;
            return Ok(Kept::Repeated { number: place + 1 });
        }
        if self.damaged {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if self.entries.len() >= MOST_TICKETS {
            return Ok(Kept::Full);
        }
        let Entry {
            id,
            received_at,
            event,
            ticket,
        } = entry;
        let line = Line {
            id,
            received_at,
            event,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        let written = self
            .file
            .write_all(&text)
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line must not stand before the next one. Opening the file anew removes it too.
            self.damaged = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += text.len() as u64;
        let Line {
            id,
            received_at,
            event,
        } = line;
        self.entries.push(Entry {
            id,
            received_at,
            event,
            ticket,
        });
        Ok(Kept::New {
            number: self.entries.len(),
        })
    }

    /// How many tickets there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are urgent.
    pub(super) fn urgent(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.ticket.urgent)
            .count()
    }

    /// How many deliveries brought nothing new, since the start.
    pub(super) fn repetitions(&self) -> usize {
        self.repetitions
    }

    /// Changes whenever the page would.
    pub(super) fn state(&self) -> String {
        format!("{}-{}", self.entries.len(), self.repetitions)
    }

    /// The last tickets with their numbers, newest first.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .rev()
            .take(count)
            .map(|(place, entry)| (place + 1, entry))
    }
}

/// A line that this version cannot read is passed over; it stays in the file.
fn decode(line: &[u8]) -> Option<Entry> {
    let Line {
        id,
        received_at,
        event,
    } = serde_json::from_slice(line).ok()?;
    let ticket = serde_json::from_value(event["data"].clone()).ok()?;
    Some(Entry {
        id,
        received_at,
        event,
        ticket,
    })
}
