//! What would take a scan to count: kept in memory, written with each transaction that changes it.

use std::collections::BTreeMap;

use langnghe_model::{BackendId, ChannelId, Purpose};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::{DeadKind, Lane};

/// Counts and next numbers, in one small row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    /// The position that the last event got.
    pub(super) position: i64,
    pub(super) sessions: i64,
    pub(super) timers: i64,
    /// By [`kind_number`].
    pub(super) dead: [i64; 3],
    /// Answers.
    channels: BTreeMap<ChannelId, ChannelCounters>,
    #[serde(default)]
    notices: BTreeMap<ChannelId, ChannelCounters>,
    #[serde(default)]
    broadcasts: BTreeMap<ChannelId, ChannelCounters>,
    /// Tickets to be delivered.
    pub(super) deliveries: BTreeMap<BackendId, i64>,
}

/// The same for one lane of a channel's outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChannelCounters {
    /// The lane's share of the row ids; see `outbox.rs`.
    pub(super) number: i64,
    /// The id that its last reply got.
    pub(super) id: i64,
    pub(super) waiting: i64,
    pub(super) parked: i64,
    /// Rows whose state is not "fresh".
    pub(super) held: i64,
}

/// How a kind of dead letter is written.
pub(super) fn kind_number(kind: DeadKind) -> usize {
    match kind {
        DeadKind::Reply => 0,
        DeadKind::Delivery => 1,
        DeadKind::Event => 2,
    }
}

/// Reads what [`kind_number`] wrote.
pub(super) fn kind_of(number: i64) -> Option<DeadKind> {
    match number {
        0 => Some(DeadKind::Reply),
        1 => Some(DeadKind::Delivery),
        2 => Some(DeadKind::Event),
        _ => None,
    }
}

impl Counters {
    /// Reads the row; an empty database has none.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let text: Option<String> = connection
            .query_row(
                "SELECT value FROM meta WHERE name = 'counters'",
                [],
                |row| row.get(0),
            )
            .optional()?;
        text.map_or_else(
            || Ok(Self::default()),
            |text| {
                serde_json::from_str(&text).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(
                        0,
                        rusqlite::types::Type::Text,
                        Box::new(error),
                    )
                })
            },
        )
    }

    /// Writes the row.
    pub(super) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let text = serde_json::to_string(self)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('counters', ?1)")?
            .execute([text])?;
        Ok(())
    }

    /// The channels that have had replies in a lane.
    pub(super) fn lane(&self, lane: Lane) -> &BTreeMap<ChannelId, ChannelCounters> {
        match lane {
            Purpose::Answer => &self.channels,
            Purpose::Notice => &self.notices,
            Purpose::Broadcast => &self.broadcasts,
        }
    }

    /// The same, to be changed.
    pub(super) fn lane_mut(&mut self, lane: Lane) -> &mut BTreeMap<ChannelId, ChannelCounters> {
        match lane {
            Purpose::Answer => &mut self.channels,
            Purpose::Notice => &mut self.notices,
            Purpose::Broadcast => &mut self.broadcasts,
        }
    }

    /// Every lane of every channel.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (&ChannelId, Lane, &ChannelCounters)> {
        Lane::ALL.into_iter().flat_map(|lane| {
            let channels = self.lane(lane).iter();
            channels.map(move |(channel, counted)| (channel, lane, counted))
        })
    }

    /// A number that no lane has.
    pub(super) fn next_number(&self) -> i64 {
        let numbers = self.lanes().map(|(_, _, counted)| counted.number + 1);
        numbers.max().unwrap_or(0)
    }

    /// The dead letters of a kind.
    pub(super) fn dead(&mut self, kind: DeadKind) -> &mut i64 {
        &mut self.dead[kind_number(kind)]
    }

    /// The tickets that wait for a backend.
    pub(super) fn deliveries(&mut self, backend: &BackendId) -> &mut i64 {
        self.deliveries.entry(backend.clone()).or_default()
    }
}
