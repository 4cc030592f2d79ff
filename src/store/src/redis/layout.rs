//! Which keys a conversation has, and where they lie.
//!
//! Conversations are spread over a fixed number of partitions; the keys of each carry its partition
//! as hash tag, so that a cluster keeps them together. What lists conversations (who is ready, who
//! is leased, what is due) is an *index*. On one server there is one index for all partitions, so
//! that one script serves many conversations in exact order; on a cluster each partition has its own.

use langnghe_model::ConversationId;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) prefix: String,
    pub(super) partitions: u16,
    pub(super) cluster: bool,
}

/// Numbers an index: 0 on one server, the partition on a cluster.
pub(super) type Index = u16;

impl Layout {
    /// All indexes.
    pub(super) fn indexes(&self) -> std::ops::Range<Index> {
        0..if self.cluster { self.partitions } else { 1 }
    }

    /// How many indexes there are.
    pub(super) fn count(&self) -> usize {
        usize::from(self.indexes().end)
    }

    /// The partition of some key, by FNV-1a, which must never change.
    pub(super) fn partition(&self, key: &[u8]) -> u16 {
        let hash = key.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        u16::try_from(hash % u64::from(self.partitions)).unwrap_or(0)
    }

    /// The index that lists what lies in a partition.
    pub(super) fn index_of(&self, partition: u16) -> Index {
        if self.cluster { partition } else { 0 }
    }

    /// The hash tag of an index.
    pub(super) fn tag(&self, index: Index) -> String {
        if self.cluster {
            format!("{{{index}}}")
        } else {
            "{ix}".to_owned()
        }
    }

    /// The index of this tag.
    pub(super) fn index_of_tag(&self, tag: &str) -> Option<Index> {
        if !self.cluster {
            return (tag == "{ix}").then_some(0);
        }
        let index = tag.strip_prefix('{')?.strip_suffix('}')?.parse().ok()?;
        self.indexes().contains(&index).then_some(index)
    }

    /// How scripts name a conversation, and the index that lists it.
    pub(super) fn member(&self, conversation: &ConversationId) -> (Index, Vec<u8>) {
        let key = conversation.key();
        let partition = self.partition(key.as_bytes());
        let member = format!("{{{partition}}}{key}").into_bytes();
        (self.index_of(partition), member)
    }

    /// The key that an index has under this name.
    pub(super) fn index_key(&self, index: Index, name: &str) -> String {
        format!("{}:{}:{name}", self.prefix, self.tag(index))
    }

    /// The key that keeps a ticket's code.
    pub(super) fn code_key(&self, code: &str) -> String {
        let partition = self.partition(code.as_bytes());
        format!("{}:code:{{{partition}}}{code}", self.prefix)
    }
}

/// The conversation that a member names.
pub(super) fn conversation_of(member: &[u8]) -> Option<ConversationId> {
    let text = std::str::from_utf8(member).ok()?;
    let (_, key) = text.split_once('}')?;
    ConversationId::from_key(key)
}

/// The partition that a member lies in, as its hash tag.
pub(super) fn tag_of(member: &[u8]) -> &[u8] {
    let end = member.iter().position(|byte| *byte == b'}');
    &member[..end.map_or(0, |end| end + 1)]
}

#[cfg(test)]
mod tests {
    use langnghe_model::{ChannelId, CitizenId};

    use super::*;

    fn layout(cluster: bool) -> Layout {
        Layout {
            prefix: "ln".to_owned(),
            partitions: 64,
            cluster,
        }
    }

    /// Data that are there are found again by later versions.
    #[test]
    fn partitions_never_move() {
        let layout = layout(true);
        let found =
            ["page/1", "sms/84912345678", "web/đường"].map(|key| layout.partition(key.as_bytes()));
        assert_eq!(found, [30, 46, 17]);
    }

    #[test]
    fn a_member_names_its_conversation_and_its_partition() {
        let page = ChannelId::new("page").expect("a good id");
        let odd = ConversationId::new(page, CitizenId::new("a}b{c"));
        let (index, member) = layout(true).member(&odd);
        assert_eq!(conversation_of(&member), Some(odd));
        assert_eq!(tag_of(&member), layout(true).tag(index).as_bytes());
        assert_eq!(layout(true).index_of_tag("{64}"), None);
    }
}
