//! Calls of scripts, and their answers.

use langnghe_model::Timestamp;
use redis::{Cmd, ToRedisArgs, Value};

use super::{Shared, layout::Index, script::Script};
use crate::StoreError;

/// A call under construction.
pub(super) struct Call<'a> {
    shared: &'a Shared,
    script: &'static Script,
    index: Index,
    command: Cmd,
}

impl Shared {
    /// Begins a call of a script that asks for no time.
    pub(super) fn timeless_call(&self, script: &'static Script, index: Index) -> Call<'_> {
        self.begin(script, index, 0)
    }

    /// Begins a call of a script on an index. `now` counts where the store was opened so
    /// ([`super::StoreClock`]); the server's clock does otherwise.
    pub(super) fn call(
        &self,
        script: &'static Script,
        index: Index,
        now: Option<Timestamp>,
    ) -> Call<'_> {
        let now = now.filter(|_| self.options.clock == super::StoreClock::Caller);
        self.begin(script, index, now.map_or(-1, Timestamp::as_milliseconds))
    }

    fn begin(&self, script: &'static Script, index: Index, now: i64) -> Call<'_> {
        let keys = &self.fixed_keys[usize::from(index)];
        let mut command = script.command(keys);
        command
            .arg(&self.layout.prefix)
            .arg(self.layout.tag(index))
            .arg(now);
        Call {
            shared: self,
            script,
            index,
            command,
        }
    }
}

impl Call<'_> {
    /// Adds an argument.
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// Sends it.
    pub(super) async fn send(self) -> Result<Value, StoreError> {
        self.shared.open()?;
        self.shared.link.run(self.script, &self.command).await
    }

    /// Sends it, and waits until it is as durable as the configuration asks for.
    pub(super) async fn send_durably(self) -> Result<Value, StoreError> {
        let Some(link) = &self.shared.durable else {
            return self.send().await;
        };
        self.shared.open()?;
        let answer = link.run(self.script, &self.command).await?;
        let key = &self.shared.fixed_keys[usize::from(self.index)][0];
        for (command, wanted) in self.shared.options.waits() {
            let reached = link
                .command_at(key, "waiting for durability", command)
                .await?;
            let reached = match reached {
                Value::Int(replicas) => vec![replicas],
                other => list(other)?
                    .into_iter()
                    .map(integer)
                    .collect::<Result<_, _>>()?,
            };
            if reached
                .iter()
                .zip(wanted)
                .any(|(reached, wanted)| *reached < wanted)
            {
                return Err(StoreError::Unavailable(
                    "what was written did not become durable in time".to_owned(),
                ));
            }
        }
        Ok(answer)
    }
}

fn odd() -> StoreError {
    StoreError::Damaged("the server's answer is not what the script gives".to_owned())
}

/// An array.
pub(super) fn list(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Map(pairs) => Ok(pairs
            .into_iter()
            .flat_map(|(key, value)| [key, value])
            .collect()),
        _ => Err(odd()),
    }
}

/// Bytes.
pub(super) fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    optional(value)?.ok_or_else(odd)
}

/// Bytes or nothing.
pub(super) fn optional(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Okay => Ok(Some(b"OK".to_vec())),
        Value::Int(number) => Ok(Some(number.to_string().into_bytes())),
        _ => Err(odd()),
    }
}

/// Text.
pub(super) fn text(value: Value) -> Result<String, StoreError> {
    String::from_utf8(bytes(value)?).map_err(|_| odd())
}

/// A whole number, as such or in digits.
pub(super) fn integer(value: Value) -> Result<i64, StoreError> {
    match value {
        Value::Int(number) => Ok(number),
        other => digits(&bytes(other)?),
    }
}

/// A whole number in digits.
pub(super) fn digits(text: &[u8]) -> Result<i64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|_| odd())?;
    text.parse().map_err(|_| odd())
}

/// A number that is never negative.
pub(super) fn natural(value: Value) -> Result<u64, StoreError> {
    Ok(u64::try_from(integer(value)?).unwrap_or(0))
}

/// A moment that is the score of a member of a sorted set; `None` where that is not in it.
pub(super) fn score(value: Value) -> Result<Option<Timestamp>, StoreError> {
    let score = match value {
        Value::Nil => return Ok(None),
        Value::Double(score) => score,
        other => text(other)?.parse().map_err(|_| odd())?,
    };
    Ok(Some(moment_of(score)))
}

/// The moment that a score stands for.
#[expect(
    clippy::cast_possible_truncation,
    reason = "scores of moments are whole milliseconds"
)]
pub(super) fn moment_of(score: f64) -> Timestamp {
    Timestamp::from_milliseconds(score as i64)
}

/// A moment; `None` for what is negative.
pub(super) fn moment(value: Value) -> Result<Option<Timestamp>, StoreError> {
    let milliseconds = integer(value)?;
    Ok((milliseconds >= 0).then(|| Timestamp::from_milliseconds(milliseconds)))
}

/// A flat list of names and values.
pub(super) fn fields(
    value: Value,
) -> Result<std::collections::HashMap<String, Vec<u8>>, StoreError> {
    let mut values = list(value)?.into_iter();
    let mut fields = std::collections::HashMap::new();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        fields.insert(text(name)?, bytes(value)?);
    }
    Ok(fields)
}
