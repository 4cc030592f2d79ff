//! What has to be known of an account at a message centre.

use std::{fmt, time::Duration};

use secrecy::SecretString;

use super::{alphabet::DefaultAlphabet, reassembly::WaitingLimits, receipt::ReceiptIds};

/// What has to be known of an account at a message centre.
#[derive(Clone)]
pub struct SmppConfig {
    /// Where the message centre lies.
    pub host: String,
    /// Its port: 2775 by custom, 3550 with TLS.
    pub port: u16,
    /// The account.
    pub system_id: String,
    /// Its password; up to eight characters.
    pub password: SecretString,
    /// What some operators want to hear of the account's kind; mostly empty.
    pub system_type: String,
    /// What our messages come from: a short code, a number or a registered name.
    pub sender: Sender,
    /// How the account is opened.
    pub bind: BindMode,
    /// How many submitted messages may wait for their answers.
    pub window: usize,
    /// The protection of the line; `None` sends the password in the clear.
    pub tls: Option<TlsConfig>,
    /// What the message centre means by its default alphabet.
    pub default_alphabet: DefaultAlphabet,
    /// How ids are written in receipts.
    pub receipt_ids: ReceiptIds,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// How long the message centre goes on trying; `None` leaves it to the operator. Less than 32 days.
    pub keep: Option<Duration>,
    /// How the parts of a long message are joined.
    pub long_messages: LongMessages,
    /// After how much silence the other side is asked whether it is there.
    pub enquire_link: Duration,
    /// The longest that an answer is waited for.
    pub response_timeout: Duration,
    /// What may wait for further parts of a message that comes in.
    pub waiting: WaitingLimits,
    /// How a lost or refused line is tried again.
    pub reconnect: Reconnect,
}

impl fmt::Debug for SmppConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SmppConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl SmppConfig {
    /// An account with everything else as usual.
    pub fn new(
        host: &str,
        port: u16,
        system_id: &str,
        password: SecretString,
        sender: &str,
    ) -> Self {
        Self {
            host: host.to_owned(),
            port,
            system_id: system_id.to_owned(),
            password,
            system_type: String::new(),
            sender: Sender::new(sender),
            bind: BindMode::Transceiver,
            window: 10,
            tls: None,
            default_alphabet: DefaultAlphabet::Gsm7,
            receipt_ids: ReceiptIds::Same,
            receipts: true,
            keep: None,
            long_messages: LongMessages::Header8,
            enquire_link: Duration::from_secs(30),
            response_timeout: Duration::from_secs(15),
            waiting: WaitingLimits::default(),
            reconnect: Reconnect::default(),
        }
    }
}

/// What our messages come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The number, short code or name.
    pub text: String,
    /// What kind of number it is: 5 for a name, 1 for an international number, 0 for a short code,
    /// unless the operator wants another.
    pub ton: u8,
    /// Its numbering plan: 1 (E.164) for an international number, else 0.
    pub npi: u8,
}

impl Sender {
    /// Tells names, numbers and short codes apart by how they are written.
    pub fn new(text: &str) -> Self {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let (ton, npi) = if !number {
            (5, 0)
        } else if digits.len() > 8 {
            (1, 1)
        } else {
            (0, 0)
        };
        let text = if number { digits } else { text };
        Self {
            text: text.to_owned(),
            ton,
            npi,
        }
    }
}

/// How the account is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindMode {
    /// One line for both ways.
    #[default]
    Transceiver,
    /// A line for each way.
    Separate,
}

/// How the parts of a long message are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongMessages {
    /// A header with a reference of eight bits, which every network carries.
    #[default]
    Header8,
    /// A header with a reference of sixteen bits.
    Header16,
    /// Optional parameters (`sar_…`); the message centre makes the header.
    Parameters,
    /// Not in parts: whole, in `message_payload`.
    Payload,
}

/// The protection of the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Certificates (PEM) of the authorities that may have signed the message centre's; `None` means
    /// those that the system trusts.
    pub authorities: Option<Vec<u8>>,
    /// The name that its certificate must have, where that is not the host's.
    pub server_name: Option<String>,
}

/// How a lost or refused line is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The longest wait before the second attempt; it doubles with each further one.
    pub first: Duration,
    /// The longest wait at all.
    pub longest: Duration,
    /// How long a bind must have held for the next wait to be the first again.
    pub held: Duration,
    /// How long to wait after the account's name or password was refused: message centres lock
    /// accounts that try on.
    pub refused: Duration,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_mins(1),
            held: Duration::from_mins(1),
            refused: Duration::from_mins(3),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmppConfigError {
    /// A text is missing.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A text does not fit into its field.
    #[error("{0} takes up to {1} characters of ASCII")]
    TooLong(&'static str, usize),
    /// The certificates cannot be used.
    #[error("tls: {0}")]
    Tls(&'static str),
    /// The name in the message centre's certificate is none.
    #[error("server_name is no host name")]
    ServerName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_what_it_looks_like() {
        for (text, written, ton, npi) in [
            ("8088", "8088", 0, 0),
            ("1022", "1022", 0, 0),
            ("+84901234567", "84901234567", 1, 1),
            ("84901234567", "84901234567", 1, 1),
            ("UBND-XA", "UBND-XA", 5, 0),
            ("Xa 1", "Xa 1", 5, 0),
        ] {
            let sender = Sender::new(text);
            assert_eq!(
                (sender.text.as_str(), sender.ton, sender.npi),
                (written, ton, npi)
            );
        }
    }
}
