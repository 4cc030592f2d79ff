//! Who may send on which channel. In memory, as leases are: one process serves, and a process that
//! dies owns nothing.

use std::{collections::HashMap, time::Duration};

use langnghe_model::{ChannelId, Timestamp};

use super::state::State;
use crate::{Epoch, OwnerId, Ownership};

/// The owners of all channels that have one.
pub(super) type Owners = HashMap<ChannelId, Owned>;

/// Who owns a channel, and until when.
#[derive(Debug)]
pub(super) struct Owned {
    owner: OwnerId,
    epoch: Epoch,
    until: Timestamp,
}

impl State {
    /// Takes or renews ownership. An owner whose lease ran out is a new one, so that what it left
    /// unfinished is free at once.
    pub(super) fn own(
        &mut self,
        owner: &OwnerId,
        channels: &[ChannelId],
        lease: Duration,
        now: Timestamp,
    ) -> Vec<Ownership> {
        let own = |channel: &ChannelId| {
            let held = self.owners.get_mut(channel).filter(|held| held.until > now);
            match held {
                Some(held) if held.owner == *owner => {
                    held.until = now + lease;
                    Ownership::Held(held.epoch)
                }
                Some(held) => Ownership::Elsewhere {
                    remaining: held.until.since(now),
                },
                None => {
                    // Tokens grow over all runs of the program, and so do epochs.
                    let epoch = Epoch(self.new_token());
                    let reign = Owned {
                        owner: owner.clone(),
                        epoch,
                        until: now + lease,
                    };
                    self.owners.insert(channel.clone(), reign);
                    Ownership::Held(epoch)
                }
            }
        };
        channels.iter().map(own).collect()
    }

    /// Lets go of those channels that `owner` has.
    pub(super) fn disown(&mut self, owner: &OwnerId, channels: &[ChannelId]) {
        self.owners
            .retain(|channel, held| held.owner != *owner || !channels.contains(channel));
    }

    /// Whether replies of the channel may be claimed under `epoch`. The first claim of a later one
    /// takes the leases of earlier ones away.
    pub(super) fn admit(&mut self, channel: &ChannelId, epoch: Epoch) -> bool {
        let newest = self.outbox.epochs.entry(channel.clone()).or_default();
        if epoch < *newest {
            return false;
        }
        if epoch > *newest {
            *newest = epoch;
            for lane in self.lanes_of(channel) {
                let (_, index, _) = self.lane(channel, lane);
                index.expire(Timestamp::from_milliseconds(i64::MAX));
            }
            // One of an earlier epoch that waits is to learn of it.
            self.signal_channel(channel);
        }
        true
    }
}
