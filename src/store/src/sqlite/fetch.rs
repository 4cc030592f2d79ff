//! What claims carry, read beside the writer.

use langnghe_model::Timestamp;
use rusqlite::OptionalExtension;

use super::{SqliteStore, held::Held, outbox, sessions, turn::ClaimedConversation};
use crate::{Claim, LeaseToken, OutboxReply, Position, StoreError};

impl SqliteStore {
    /// Fetches what claims carry. Events that an erasure removed meanwhile are left out.
    pub(super) async fn fetch_claims(
        &self,
        held: Held<Vec<ClaimedConversation>>,
    ) -> Result<Vec<Claim>, StoreError> {
        let claimed = held.what().cloned().unwrap_or_default();
        let claims = self
            .readers()?
            .read(move |connection| {
                let mut claims = Vec::with_capacity(claimed.len());
                for claim in claimed {
                    let session = sessions::get(connection, &claim.conversation)?;
                    let mut events = Vec::with_capacity(claim.events.len());
                    for (position, kept) in claim.events {
                        let body = match kept {
                            Some(body) => Some(body.to_vec()),
                            None => connection
                                .prepare_cached("SELECT body FROM inbox WHERE position = ?1")?
                                .query_row([position], |row| row.get(0))
                                .optional()?,
                        };
                        let position = Position(position.cast_unsigned());
                        events.extend(body.map(|body| (position, body)));
                    }
                    if !events.is_empty() {
                        let (conversation, token) = (claim.conversation, LeaseToken(claim.token));
                        claims.push(Claim {
                            conversation,
                            token,
                            session,
                            events,
                        });
                    }
                }
                Ok(claims)
            })
            .await?;
        held.hand_over();
        Ok(claims)
    }

    /// Fetches claimed replies.
    pub(super) async fn fetch_replies(
        &self,
        held: Held<Vec<outbox::ClaimedReply>>,
    ) -> Result<Vec<OutboxReply>, StoreError> {
        let claimed = held.what().cloned().unwrap_or_default();
        let replies = self
            .readers()?
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT body, attempts, window_until, queued_at FROM outbox WHERE id = ?1",
                )?;
                let mut replies = Vec::with_capacity(claimed.len());
                for claim in claimed {
                    let reply = statement
                        .query_row([claim.id], |row| {
                            let window: Option<i64> = row.get(2)?;
                            Ok(OutboxReply {
                                id: claim.id.cast_unsigned(),
                                conversation: claim.conversation.clone(),
                                token: LeaseToken(claim.token),
                                lane: claim.lane,
                                body: row.get(0)?,
                                attempts: row.get(1)?,
                                window_until: window.map(Timestamp::from_milliseconds),
                                queued_at: Timestamp::from_milliseconds(row.get(3)?),
                            })
                        })
                        .optional()?;
                    replies.extend(reply);
                }
                Ok(replies)
            })
            .await?;
        held.hand_over();
        Ok(replies)
    }
}
