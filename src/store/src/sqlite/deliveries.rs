//! Tickets on their way to backends.

use std::collections::HashMap;

use langnghe_model::{BackendId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{inbox::Lease, state::State, tickets::delivery_number};
use crate::{DeadKind, Delivery, DeliveryResult, DeliverySettlement, DeliveryState, LeaseToken};

/// Who holds the lease on which delivery; the rest is on disk, as tickets are few beside messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Deliveries {
    leases: HashMap<i64, Lease>,
}

/// What was claimed, and when to look again.
pub(super) type ClaimedDeliveries = (Vec<Delivery>, Option<Timestamp>);

impl State {
    /// Makes a ticket due for its backend.
    pub(super) fn queue_delivery(
        &mut self,
        seq: i64,
        backend: &BackendId,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO deliveries (ticket, backend, due_at, attempts, queued_at)
                 VALUES (?1, ?2, ?3, 0, ?3)",
            )?
            .execute(params![seq, backend.as_str(), at.as_milliseconds()])?;
        *self.counters.deliveries(backend) += 1;
        self.signals.backends.insert(backend.clone());
        Ok(())
    }

    /// Takes the lease on up to `max` due tickets, those first that came due first.
    pub(super) fn claim_deliveries(
        &mut self,
        backend: &BackendId,
        max: usize,
        until: Timestamp,
        now: Timestamp,
    ) -> rusqlite::Result<ClaimedDeliveries> {
        self.deliveries.leases.retain(|_, lease| lease.until > now);
        if self.disabled(backend)?
            || self
                .counters
                .deliveries
                .get(backend)
                .is_none_or(|n| *n == 0)
        {
            return Ok((Vec::new(), None));
        }
        let limit = max.saturating_add(self.deliveries.leases.len());
        let due: Vec<(i64, Delivery)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT deliveries.ticket, id, code, body, personal, attempts, created_at
                 FROM deliveries JOIN tickets ON tickets.seq = deliveries.ticket
                 WHERE deliveries.backend = ?1 AND due_at <= ?2
                 ORDER BY due_at, deliveries.ticket LIMIT ?3",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement.query_map(
                params![backend.as_str(), now.as_milliseconds(), limit],
                |row| {
                    let delivery = Delivery {
                        ticket: langnghe_model::TicketId::new(row.get::<_, String>(1)?),
                        token: LeaseToken(0),
                        code: row.get(2)?,
                        body: row.get(3)?,
                        personal: row.get(4)?,
                        attempts: row.get(5)?,
                        created_at: Timestamp::from_milliseconds(row.get(6)?),
                    };
                    Ok((row.get(0)?, delivery))
                },
            )?;
            rows.collect::<Result<_, _>>()?
        };
        let mut claimed = Vec::new();
        for (seq, mut delivery) in due {
            if claimed.len() < max && !self.deliveries.leases.contains_key(&seq) {
                let token = self.new_token();
                self.deliveries.leases.insert(seq, Lease { token, until });
                delivery.token = LeaseToken(token);
                claimed.push(delivery);
            }
        }
        let next: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT due_at FROM deliveries WHERE backend = ?1 AND due_at > ?2
                 ORDER BY due_at LIMIT 1",
            )?
            .query_row(params![backend.as_str(), now.as_milliseconds()], |row| {
                row.get(0)
            })
            .optional()?;
        let lease = self
            .deliveries
            .leases
            .values()
            .map(|lease| lease.until)
            .min();
        let next = next.map(Timestamp::from_milliseconds);
        Ok((claimed, [next, lease].into_iter().flatten().min()))
    }

    /// Takes leases back that nobody will use.
    pub(super) fn give_deliveries_back(&mut self, backend: &BackendId, tokens: &[u64]) {
        self.deliveries
            .leases
            .retain(|_, lease| !tokens.contains(&lease.token));
        self.signals.backends.insert(backend.clone());
    }

    /// Applies one settlement; passes over one whose lease was lost.
    pub(super) fn settle_delivery(&mut self, settled: &DeliverySettlement) -> rusqlite::Result<()> {
        let found: Option<(i64, String, i64)> = self
            .connection
            .prepare_cached(
                "SELECT seq, deliveries.backend, attempts FROM tickets
                 JOIN deliveries ON deliveries.ticket = seq WHERE id = ?1",
            )?
            .query_row([settled.ticket.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((seq, place, attempts)) = found else {
            return Ok(());
        };
        let lease = self.deliveries.leases.get(&seq);
        if lease.is_none_or(|lease| lease.token != settled.token.0) {
            return Ok(());
        }
        self.deliveries.leases.remove(&seq);
        match &settled.result {
            DeliveryResult::Delivered { reference } => {
                self.connection
                    .prepare_cached("UPDATE tickets SET reference = ?2 WHERE seq = ?1")?
                    .execute(params![seq, reference])?;
                self.note(seq, settled.at, "delivered", reference.as_deref())?;
                self.end_delivery(seq, &place, DeliveryState::Delivered)?;
            }
            DeliveryResult::Retry { at, reason } => {
                self.connection
                    .prepare_cached(
                        "UPDATE deliveries SET due_at = ?2, attempts = attempts + 1
                         WHERE ticket = ?1",
                    )?
                    .execute([seq, at.as_milliseconds()])?;
                self.note(seq, settled.at, "retry", Some(reason))?;
            }
            DeliveryResult::Bury { reason } => {
                self.connection
                    .prepare_cached(
                        "INSERT INTO dead (kind, place, conversation, ticket, reason, at, attempts,
                         body) SELECT 1, ?2, conversation, seq, ?3, ?4, ?5, x'' FROM tickets
                         WHERE seq = ?1",
                    )?
                    .execute(params![
                        seq,
                        place,
                        reason,
                        settled.at.as_milliseconds(),
                        attempts + 1
                    ])?;
                *self.counters.dead(DeadKind::Delivery) += 1;
                self.note(seq, settled.at, "dead", Some(reason))?;
                self.end_delivery(seq, &place, DeliveryState::Dead)?;
            }
        }
        if let Ok(backend) = BackendId::new(&place) {
            self.signals.backends.insert(backend);
        }
        Ok(())
    }

    fn end_delivery(
        &mut self,
        seq: i64,
        backend: &str,
        state: DeliveryState,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached("DELETE FROM deliveries WHERE ticket = ?1")?
            .execute([seq])?;
        self.connection
            .prepare_cached("UPDATE tickets SET delivery = ?2 WHERE seq = ?1")?
            .execute([seq, delivery_number(state)])?;
        if let Ok(backend) = BackendId::new(backend) {
            *self.counters.deliveries(&backend) -= 1;
        }
        Ok(())
    }

    fn disabled(&self, backend: &BackendId) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached("SELECT 1 FROM disabled WHERE backend = ?1")?
            .exists([backend.as_str()])
    }
}
