//! Dedup marks, in and out. Keys that hold them are found by a scan of every server.

use langnghe_model::{DedupKey, Timestamp};
use redis::Cmd;

use super::RedisArchive;
use crate::{
    StoreError,
    archive::{Batch, Cursor, Page, Record},
    redis::{call, inbox::milliseconds, link::Primary, moved_marks},
};

/// So many keys a step of a scan looks at.
const SCANNED: usize = 2000;

/// A step of a scan: where the next one goes on, and what was found.
struct Scanned {
    /// "0" at the end of a server.
    cursor: String,
    keys: Vec<Vec<u8>>,
}

impl RedisArchive {
    async fn scan(&self, server: &Primary, cursor: &str) -> Result<Scanned, StoreError> {
        let mut command = redis::cmd("SCAN");
        let pattern = format!("{}:[d{}]:{{*", self.shared.layout.prefix, moved_marks::NAME);
        command.arg(cursor).arg("MATCH").arg(pattern);
        command.arg("COUNT").arg(SCANNED);
        let answer = self
            .shared
            .link
            .command_on(server.as_ref(), "copy", &command)
            .await?;
        let mut values = call::list(answer)?.into_iter();
        let cursor = call::text(values.next().unwrap_or_default())?;
        let keys = call::list(values.next().unwrap_or_default())?;
        let keys = keys
            .into_iter()
            .map(call::bytes)
            .collect::<Result<_, _>>()?;
        Ok(Scanned { cursor, keys })
    }

    /// The servers, in an order that does not depend on who answers first.
    async fn servers(&self) -> Result<Vec<Primary>, StoreError> {
        let mut servers = self.shared.link.primaries().await?;
        servers.sort();
        Ok(servers)
    }

    /// A page of marks. The cursor names the server, as `host:port` and the server's own.
    pub(super) async fn marks(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let servers = self.servers().await?;
        let name = |server: &Primary| match server {
            Some((host, port)) => format!("{host}:{port}"),
            None => String::new(),
        };
        let (mut place, mut cursor) = (0, "0".to_owned());
        if let Some((server, from)) = after.and_then(|after| after.0.rsplit_once(' ')) {
            // A server that is gone, in a fail-over: all are read again, which changes nothing.
            if let Some(found) = servers.iter().position(|known| name(known) == server) {
                place = found;
                from.clone_into(&mut cursor);
            }
        }
        let mut records = Vec::new();
        while let Some(server) = servers.get(place) {
            let scanned = self.scan(server, &cursor).await?;
            self.read_marks(scanned.keys, &mut records).await?;
            cursor = scanned.cursor;
            if cursor == "0" {
                place += 1;
            }
            if records.len() >= limit {
                break;
            }
        }
        let next = servers
            .get(place)
            .map(|server| Cursor(format!("{} {cursor}", name(server))));
        Ok(Page { records, next })
    }

    async fn read_marks(
        &self,
        keys: Vec<Vec<u8>>,
        records: &mut Vec<Record>,
    ) -> Result<(), StoreError> {
        let get = |key: &Vec<u8>| {
            let mut command = redis::cmd("GET");
            command.arg(key);
            command
        };
        let held = self.commands(keys.iter().map(get).collect()).await?;
        for (key, held) in keys.iter().zip(held) {
            let hash = key.len().checked_sub(16).and_then(|from| key.get(from..));
            let hash: Option<[u8; 16]> = hash.and_then(|hash| hash.try_into().ok());
            // One that ran out meanwhile is not there any more.
            if let (Some(hash), Some(at)) = (hash, call::optional(held)?) {
                records.push(Record::Mark {
                    key: DedupKey(u128::from_be_bytes(hash)),
                    at: Timestamp::from_milliseconds(call::digits(&at)?),
                });
            }
        }
        Ok(())
    }

    /// How many marks there are.
    pub(super) async fn count_marks(&self) -> Result<u64, StoreError> {
        let mut count = 0;
        for server in self.servers().await? {
            let mut cursor = "0".to_owned();
            loop {
                let scanned = self.scan(&server, &cursor).await?;
                count += scanned.keys.len() as u64;
                cursor = scanned.cursor;
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Keeps marks apart from those of this store's own, for as long as they would count.
    pub(super) async fn marks_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let now = self.now().await?;
        let dedup = self.shared.options.dedup;
        let mut until = self.meta_field(moved_marks::UNTIL).await?;
        let mut commands: Vec<Cmd> = Vec::new();
        for record in &batch.records {
            let Record::Mark { key, at } = record else {
                continue;
            };
            let end = *at + dedup;
            if end <= now {
                continue;
            }
            let mut command = redis::cmd("SET");
            command
                .arg(moved_marks::key(&self.shared.layout, *key))
                .arg(at.as_milliseconds())
                .arg("PX")
                .arg(milliseconds(end.since(now)));
            commands.push(command);
            let end = end.as_milliseconds();
            let known = until.as_deref().and_then(|until| until.parse().ok());
            if known.is_none_or(|known: i64| known < end) {
                until = Some(end.to_string());
            }
        }
        if let Some(until) = until {
            self.set_meta_field(moved_marks::UNTIL, &until).await?;
        }
        self.commands(commands).await?;
        Ok(())
    }

    /// How many of these that still count are not there.
    pub(super) async fn lacking_marks(
        &self,
        marks: &[(DedupKey, Timestamp)],
    ) -> Result<u64, StoreError> {
        let now = self.now().await?;
        let dedup = self.shared.options.dedup;
        let commands = marks
            .iter()
            .filter(|(_, at)| *at + dedup > now)
            .map(|(key, _)| {
                let mut command = redis::cmd("EXISTS");
                command.arg(moved_marks::key(&self.shared.layout, *key));
                command
            });
        let mut lacking = 0;
        for answer in self.commands(commands.collect()).await? {
            lacking += u64::from(call::natural(answer)? == 0);
        }
        Ok(lacking)
    }
}
