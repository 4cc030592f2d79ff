//! Reading a store out and filling it, record by record.
//!
//! What was not made here keeps its order by small numbers: those of a copy begin above the greatest
//! number that the source ever gave a reply, and all that the clock gives later are greater. Marks
//! that came with a copy lie apart ([`super::moved_marks`]), as they do not tell whose they are.

mod export;
mod import;
mod marks;
mod queue;

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use langnghe_model::{DedupKey, Timestamp};
use redis::{Cmd, Value};

use self::queue::Queue;
use super::{RedisOptions, Shared, call, connect, layout::Index};
use crate::{
    RedisAddress, StoreError,
    archive::{Archive, Batch, Census, CopyMark, Cursor, Page, RecordKind},
};

/// So many commands go at once.
const AT_ONCE: usize = 200;

/// A store on Redis that nobody serves, to be read out or filled.
#[derive(Debug)]
pub struct RedisArchive {
    shared: Arc<Shared>,
    /// What waits of the kind that is being read, as last looked up.
    queue: Mutex<Option<(RecordKind, Arc<Queue>)>>,
}

impl RedisArchive {
    /// Opens a store to fill it, and lays it out when it is new.
    ///
    /// # Errors
    /// As [`super::RedisStore::open`].
    pub async fn open(address: &RedisAddress, options: RedisOptions) -> Result<Self, StoreError> {
        Ok(Self {
            shared: connect(address, options).await?,
            queue: Mutex::default(),
        })
    }

    /// Opens a store to read it out, with the partitions that it has.
    ///
    /// # Errors
    /// [`StoreError::Open`] where there is none, and as [`super::RedisStore::open`].
    pub async fn open_existing(
        address: &RedisAddress,
        options: RedisOptions,
    ) -> Result<Self, StoreError> {
        let found = super::laid_out(address, &options).await?;
        let Some(partitions) = found else {
            return Err(StoreError::Open {
                path: address.to_string(),
                reason: format!("no store begins with {:?} there", options.prefix),
            });
        };
        Self::open(
            address,
            RedisOptions {
                partitions,
                ..options
            },
        )
        .await
    }

    async fn command(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.shared.open()?;
        self.shared.link.command("copy", command).await
    }

    /// Sends many commands at once; their answers, in order.
    async fn commands(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, StoreError> {
        let mut answers = Vec::with_capacity(commands.len());
        for some in commands.chunks(AT_ONCE) {
            for answer in join_all(some.iter().map(|command| self.command(command))).await {
                answers.push(answer?);
            }
        }
        Ok(answers)
    }

    /// A key of an index.
    fn key(&self, index: Index, name: &str) -> String {
        self.shared.layout.index_key(index, name)
    }

    /// A key of a conversation.
    fn key_of(&self, name: &str, member: &[u8]) -> Vec<u8> {
        let mut key = format!("{}:{name}:", self.shared.layout.prefix).into_bytes();
        key.extend_from_slice(member);
        key
    }

    fn meta(&self) -> String {
        format!("{}:meta", self.shared.layout.prefix)
    }

    async fn meta_field(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut command = redis::cmd("HGET");
        command.arg(self.meta()).arg(name);
        let held = call::optional(self.command(&command).await?)?;
        Ok(held.and_then(|held| String::from_utf8(held).ok()))
    }

    async fn set_meta_field(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let mut command = redis::cmd("HSET");
        command.arg(self.meta()).arg(name).arg(value);
        self.command(&command).await?;
        Ok(())
    }

    /// What the server's clock shows.
    async fn now(&self) -> Result<Timestamp, StoreError> {
        let (key, command) = (self.key(0, "seq"), redis::cmd("TIME"));
        let link = &self.shared.link;
        let mut parts = call::list(link.command_at(&key, "copy", command).await?)?.into_iter();
        let seconds = call::integer(parts.next().unwrap_or_default())?;
        Ok(Timestamp::from_seconds(seconds))
    }

    async fn owner(&self) -> Result<Option<String>, StoreError> {
        let now = self.now().await?.as_milliseconds();
        let mut command = redis::cmd("HGETALL");
        command.arg(self.key(0, "owners"));
        for (channel, held) in call::fields(self.command(&command).await?)? {
            // Sixteen digits of the epoch, then until when.
            let until = held.get(16..29).map(call::digits).transpose()?;
            if until.is_some_and(|until| until > now) {
                return Ok(Some(format!(
                    "a replica sends on the channel {channel}; one that has just died gives it up within its lease"
                )));
            }
        }
        Ok(None)
    }

    async fn listener(&self) -> Result<Option<String>, StoreError> {
        let topic = format!("{}:wake", self.shared.layout.prefix);
        let mut listening = 0;
        for node in self.shared.link.primaries().await? {
            let mut command = redis::cmd("PUBSUB");
            command.arg("NUMSUB").arg(&topic);
            let answer = self
                .shared
                .link
                .command_on(node.as_ref(), "copy", &command)
                .await?;
            let mut values = call::list(answer)?.into_iter();
            listening += values.nth(1).map(call::natural).transpose()?.unwrap_or(0);
        }
        Ok(
            (listening > 0)
                .then(|| format!("{listening} replicas or commands are connected to it")),
        )
    }
}

#[async_trait]
impl Archive for RedisArchive {
    async fn used_by(&self) -> Result<Option<String>, StoreError> {
        match self.owner().await? {
            Some(owner) => Ok(Some(owner)),
            None => self.listener().await,
        }
    }

    async fn activity(&self) -> Result<String, StoreError> {
        Ok(self.last_number().await?.to_string())
    }

    async fn census(&self) -> Result<Census, StoreError> {
        self.count_all().await
    }

    async fn export(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.page(kind, after, limit).await
    }

    async fn import(&self, batch: Batch) -> Result<(), StoreError> {
        self.take_in(&batch).await?;
        self.set_copy_mark(Some(batch.mark)).await
    }

    async fn lacks(&self, marks: Vec<(DedupKey, Timestamp)>) -> Result<u64, StoreError> {
        self.lacking_marks(&marks).await
    }

    async fn copy_mark(&self) -> Result<Option<CopyMark>, StoreError> {
        let text = self.meta_field("copy").await?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| StoreError::Damaged(format!("the mark of a copy: {error}")))
    }

    async fn set_copy_mark(&self, mark: Option<CopyMark>) -> Result<(), StoreError> {
        match mark {
            Some(mark) => {
                let text = serde_json::to_string(&mark)
                    .map_err(|error| StoreError::Damaged(error.to_string()))?;
                self.set_meta_field("copy", &text).await
            }
            None => {
                let mut command = redis::cmd("HDEL");
                command.arg(self.meta()).arg("copy").arg("copy_base");
                self.command(&command).await?;
                Ok(())
            }
        }
    }

    async fn finish(&self) -> Result<(), StoreError> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        *queue = None;
        Ok(())
    }
}
