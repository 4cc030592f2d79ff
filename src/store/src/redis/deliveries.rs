//! Tickets on their way to backends.

use std::time::Duration;

use langnghe_model::{BackendId, TicketId, Timestamp};

use super::{
    Shared, call,
    inbox::{head, milliseconds},
    layout::Index,
    script,
    waiting::{Claiming, Found},
};
use crate::{Delivery, DeliveryResult, DeliverySettlement, Disabled, LeaseToken, StoreError};

/// Claims deliveries to a backend.
#[derive(Clone, Debug)]
pub(super) struct Deliveries {
    pub(super) backend: BackendId,
    pub(super) lease: Duration,
}

impl Claiming for Deliveries {
    type Item = Delivery;

    async fn look(
        &self,
        shared: &Shared,
        index: Index,
        max: usize,
        now: Timestamp,
    ) -> Result<Found<Delivery>, StoreError> {
        let mut call = shared.call(&script::CLAIM_DELIVERIES, index, Some(now));
        call.arg(self.backend.as_str())
            .arg(max)
            .arg(milliseconds(self.lease));
        let (now, next, mut values) = head(call.send_durably().await?)?;
        let mut items = Vec::new();
        while let (Some(id), Some(token), Some(fields)) =
            (values.next(), values.next(), values.next())
        {
            let mut fields = call::list(fields)?.into_iter();
            let mut field = || fields.next().unwrap_or_default();
            items.push(Delivery {
                ticket: TicketId::new(call::text(id)?),
                token: LeaseToken(call::natural(token)?),
                code: call::text(field())?,
                body: call::bytes(field())?,
                personal: call::optional(field())?,
                attempts: u32::try_from(call::natural(field())?).unwrap_or(u32::MAX),
                created_at: call::moment(field())?.unwrap_or_default(),
            });
        }
        let full = items.len() >= max;
        Ok(Found {
            items,
            now,
            next,
            full,
        })
    }

    fn order(item: &Self::Item) -> u64 {
        u64::try_from(item.created_at.as_milliseconds()).unwrap_or(0)
    }

    async fn give_back(
        &self,
        shared: &Shared,
        index: Index,
        items: Vec<Delivery>,
    ) -> Result<(), StoreError> {
        let mut call = shared.call(&script::SETTLE_DELIVERIES, index, None);
        call.arg(items.len());
        for delivery in &items {
            call.arg(delivery.ticket.as_str())
                .arg(delivery.token.0)
                .arg(0)
                .arg("U")
                .arg(0)
                .arg("")
                .arg("");
        }
        call.send().await?;
        shared.wake_here(&format!("d:{}", self.backend), index);
        Ok(())
    }
}

/// Says what became of deliveries. Which index has a ticket is not told by its id: on a cluster the
/// one whose lease fits takes it, and the others pass it over.
pub(super) async fn settle(
    shared: &Shared,
    settlements: &[DeliverySettlement],
) -> Result<(), StoreError> {
    for index in shared.layout.indexes() {
        let now = settlements.iter().map(|settled| settled.at).max();
        let mut call = shared.call(&script::SETTLE_DELIVERIES, index, now);
        call.arg(settlements.len());
        for settled in settlements {
            let (result, text, due) = match &settled.result {
                DeliveryResult::Delivered { reference } => ("D", reference.as_deref(), None),
                DeliveryResult::Retry { at, reason } => ("R", Some(reason.as_str()), Some(*at)),
                DeliveryResult::Bury { reason } => ("B", Some(reason.as_str()), None),
            };
            call.arg(settled.ticket.as_str())
                .arg(settled.token.0)
                .arg(settled.at.as_milliseconds())
                .arg(result)
                .arg(u8::from(text.is_some()))
                .arg(text.unwrap_or_default())
                .arg(due.map_or(0, Timestamp::as_milliseconds));
        }
        call.send().await?;
    }
    // Who waits here learns when something is due again.
    for index in shared.layout.indexes() {
        shared.topics.wake_named("d:", index);
    }
    Ok(())
}

/// Stops or enables deliveries to a backend, on all indexes.
pub(super) async fn set_disabled(
    shared: &Shared,
    backend: &BackendId,
    disabled: Option<&Disabled>,
) -> Result<(), StoreError> {
    let value = disabled.map_or_else(String::new, |disabled| {
        format!("{:013}{}", disabled.at.as_milliseconds(), disabled.reason)
    });
    for index in shared.layout.indexes() {
        let mut call = shared.call(&script::DISABLE, index, None);
        call.arg(backend.as_str()).arg(&value);
        call.send().await?;
        shared.wake_here(&format!("d:{backend}"), index);
    }
    Ok(())
}

/// Whether deliveries to a backend are stopped.
pub(super) async fn disabled(
    shared: &Shared,
    backend: &BackendId,
) -> Result<Option<Disabled>, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("HGET");
    command.arg(shared.layout.index_key(0, "off"));
    command.arg(backend.as_str());
    let value = call::optional(shared.link.command("disabled", &command).await?)?;
    let Some(value) = value.filter(|value| value.len() >= 13) else {
        return Ok(None);
    };
    Ok(Some(Disabled {
        at: Timestamp::from_milliseconds(call::digits(&value[..13])?),
        reason: String::from_utf8_lossy(&value[13..]).into_owned(),
    }))
}
