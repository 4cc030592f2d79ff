//! The scripts, one for each atomic operation.

use std::sync::LazyLock;

use redis::Cmd;

/// A script with its hash.
#[derive(Debug)]
pub(super) struct Script {
    name: &'static str,
    text: String,
    hash: String,
}

impl Script {
    fn new(name: &'static str, parts: &[&str]) -> Self {
        let text = parts.concat();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { name, text, hash }
    }

    /// The operation, for messages.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// A call by hash; keys and arguments follow.
    pub(super) fn command(&self, keys: &[String; 2]) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(2).arg(keys);
        command
    }

    /// The same call with the text, for a server that does not know the hash.
    pub(super) fn with_text(&self, command: &Cmd) -> Cmd {
        let mut whole = redis::cmd("EVAL");
        whole.arg(&self.text);
        for argument in command.args_iter().skip(2) {
            match argument {
                redis::Arg::Simple(bytes) => whole.arg(bytes),
                _ => &mut whole,
            };
        }
        whole
    }
}

macro_rules! scripts {
    ($($constant:ident = $name:literal $(with $more:literal)?;)*) => {
        $(
            pub(super) static $constant: LazyLock<Script> = LazyLock::new(|| {
                Script::new($name, &[
                    include_str!("scripts/prelude.lua"),
                    $(include_str!(concat!("scripts/", $more, ".lua")),)?
                    include_str!(concat!("scripts/", $name, ".lua")),
                ])
            });
        )*
    };
}

scripts! {
    ACCEPT = "accept";
    CLAIM = "claim";
    RELEASE = "release";
    COMMIT = "commit" with "dead";
    CLAIM_OUTBOX = "claim_outbox";
    SETTLE = "settle" with "dead";
    WAKE = "wake";
    CLAIM_DELIVERIES = "claim_deliveries" with "dead";
    SETTLE_DELIVERIES = "settle_deliveries" with "dead";
    FIRE_TIMERS = "fire_timers";
    ERASE = "erase" with "dead";
    PURGE = "purge" with "dead";
    DEPTHS = "depths";
    TICKET = "ticket";
    TICKETS = "tickets" with "dead";
    DEAD_LETTERS = "dead_letters" with "dead";
    RETRY_DEAD = "retry_dead" with "dead";
    DISABLE = "disable" with "dead";
    OWN = "own";
    EXCHANGE_DOCUMENT = "exchange_document";
    IMPORT_EVENTS = "import_events";
    IMPORT_REPLIES = "import_replies";
    IMPORT_TICKETS = "import_tickets" with "dead";
    IMPORT_DEAD = "import_dead" with "dead";
    IMPORT_SESSIONS = "import_sessions";
    IMPORT_TIMERS = "import_timers";
    IMPORT_CONTACTS = "import_contacts";
    NOTE = "note" with "dead";
}
