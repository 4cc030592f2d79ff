//! Channels that keep a line of octets to their provider in the place of webhooks and requests: what is
//! heard and said on it, octet by octet, the events that come of it and what becomes of what is sent.
//!
//! For free come, for each case: all that is heard once more, cut into single octets; the line cut at the
//! end and everything heard again on the next one, which brings no further event; and what must always
//! be answered (`closing`). And for all of them: no credential, no citizen's id and none of their words in
//! any log line, error or `Debug`.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use langnghe_model::{CitizenId, Reply, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{Findings, MemoryHost, RECEIVED_AT, describe, during, incoming, tables};
use crate::{Connector, Manner, Outgoing, SendError, Sent};

/// The longest that anything is waited for.
const SOON: Duration = Duration::from_secs(10);
/// How often it is looked whether events came.
const LOOK: Duration = Duration::from_millis(5);

/// A connector with a line, under test.
pub trait LineSubject {
    /// A new channel that calls this port of the loopback, set up as a case says. It calls again within
    /// some milliseconds, and asks by itself whether the other side is there in minutes only.
    fn connector(&self, port: u16, settings: &Value) -> Arc<dyn Connector>;

    /// Everything that must never be seen.
    fn credentials(&self) -> Vec<String>;
}

/// A file: cases, and what they share.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What comes first on every line, unless a case says otherwise.
    pub opening: Vec<Step>,
    /// What comes last, if the line is still there.
    #[serde(default)]
    pub closing: Vec<Step>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// How the channel is set up.
    #[serde(default)]
    pub settings: Value,
    /// In the place of the table's.
    #[serde(default)]
    pub opening: Option<Vec<Step>>,
    /// What happens, in this order.
    pub steps: Vec<Step>,
    /// The events of it, as in [`incoming::Expected::Events`].
    #[serde(default)]
    pub events: Vec<Value>,
    /// False where the same on another line means something else.
    #[serde(default = "yes")]
    pub replay: bool,
}

/// Octets, in lines of hexadecimal digits; blanks and what follows `#` are for the reader. `61*500` is an
/// octet 500 times.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Octets(Vec<String>);

impl Octets {
    fn read(&self) -> Vec<u8> {
        let lines = self.0.iter();
        let words = lines
            .filter_map(|line| line.split('#').next())
            .flat_map(str::split_whitespace);
        let mut octets = Vec::new();
        for word in words {
            let (digits, times) = word.split_once('*').unwrap_or((word, "1"));
            let places = (0..digits.len()).step_by(2);
            let octet = |place| u8::from_str_radix(digits.get(place..place + 2)?, 16).ok();
            let some: Option<Vec<u8>> = places.map(octet).collect();
            let some = some.unwrap_or_else(|| panic!("no octets: {word}"));
            octets.extend(some.repeat(times.parse().expect("a number of times")));
        }
        octets
    }
}

/// One thing that happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The connector hears this.
    Hears(Octets),
    /// It says exactly this.
    Says(Octets),
    /// It is to send something.
    Sends {
        /// Under which id: `out-1`, `out-2` and so on unless said.
        #[serde(default)]
        id: Option<String>,
        /// To whom.
        to: String,
        /// What.
        text: String,
    },
    /// What became of the oldest that it was to send.
    Result(Value),
    /// So much time passes, in seconds, as far as the channel can tell.
    Later(u64),
    /// This many events have come by now.
    Came(usize),
    /// Nothing can be stored, or it can be again.
    Stores(bool),
    /// The provider closes the line; the connector opens another one.
    Cut,
    /// The connector closes the line; it opens another one.
    Ends,
    /// The connector is replaced by another one, which knows what the program keeps for the channel.
    Restarts,
}

const fn yes() -> bool {
    true
}

/// Runs all cases in the folder; gives how many held.
///
/// # Panics
/// With everything that did not hold, or when a table cannot be read.
pub fn check(subject: &dyn LineSubject, folder: &Path) -> usize {
    during(subject.credentials(), |findings| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for the tests");
        let mut count = 0;
        for (file, table) in tables::<Table>(folder) {
            for case in &table.cases {
                for cut in [false, true] {
                    let how = if cut { ", octet by octet" } else { "" };
                    findings.case = format!("{file}: {}{how}", case.name);
                    runtime.block_on(check_case(subject, &table, case, cut, findings));
                }
                count += 1;
            }
        }
        count
    })
}

async fn check_case(
    subject: &dyn LineSubject,
    table: &Table,
    case: &Case,
    octet_by_octet: bool,
    findings: &mut Findings,
) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let now = Arc::new(AtomicI64::new(RECEIVED_AT.as_milliseconds()));
    let clock = Arc::clone(&now);
    let host = MemoryHost::new(move || Timestamp::from_milliseconds(clock.load(Ordering::Relaxed)));
    let mut play = Play {
        subject,
        settings: &case.settings,
        opening: case.opening.as_ref().unwrap_or(&table.opening),
        octet_by_octet,
        listener,
        host: Arc::new(host),
        now,
        connector: None,
        over: CancellationToken::new(),
        tending: None,
        line: None,
        sends: Vec::new(),
        sent: 0,
    };
    play.begin();
    let done = async {
        play.open(findings).await?;
        play.steps(&case.steps, findings).await?;
        play.came(case.events.len()).await?;
        incoming::check_events(&play.host.events(), &case.events, None, findings);
        play.steps(&table.closing, findings).await?;
        let alone = case
            .steps
            .iter()
            .all(|step| matches!(step, Step::Hears(_) | Step::Says(_)));
        if alone && case.replay {
            play.steps(&[Step::Cut], findings).await?;
            play.steps(&case.steps, findings).await?;
            play.steps(&table.closing, findings).await?;
            let count = play.host.events().len();
            findings.equal(
                "events after all of it came again",
                &count,
                &case.events.len(),
            );
        }
        Ok::<(), String>(())
    };
    if let Err(finding) = done.await {
        findings.add(finding);
    }
    play.end(findings).await;
}

/// One case as it is played.
struct Play<'a> {
    subject: &'a dyn LineSubject,
    settings: &'a Value,
    opening: &'a [Step],
    octet_by_octet: bool,
    listener: TcpListener,
    host: Arc<MemoryHost>,
    now: Arc<AtomicI64>,
    connector: Option<Arc<dyn Connector>>,
    over: CancellationToken,
    tending: Option<JoinHandle<()>>,
    line: Option<TcpStream>,
    sends: Vec<JoinHandle<Result<Sent, SendError>>>,
    sent: usize,
}

impl Play<'_> {
    /// A connector begins to tend the channel.
    fn begin(&mut self) {
        let port = self.listener.local_addr().expect("bound").port();
        let connector = self.subject.connector(port, self.settings);
        self.over = CancellationToken::new();
        let (host, over) = (Arc::clone(&self.host), self.over.clone());
        let tended = Arc::clone(&connector);
        self.tending = Some(tokio::spawn(async move { tended.tend(host, over).await }));
        self.connector = Some(connector);
    }

    async fn end(&mut self, findings: &mut Findings) {
        self.line = None;
        self.over.cancel();
        if let Some(connector) = self.connector.take() {
            let shown = format!("{connector:?}");
            findings.leaks("Debug", &shown, &self.subject.credentials());
        }
        if let Some(tending) = self.tending.take() {
            match timeout(SOON, tending).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => findings.add("it panicked"),
                Err(_) => findings.add("it does not end when its time is over"),
            }
        }
    }

    async fn open(&mut self, findings: &mut Findings) -> Result<(), String> {
        let accepted = timeout(SOON, self.listener.accept()).await;
        let accepted = accepted.map_err(|_| "no line was opened")?;
        let (line, _) = accepted.map_err(|error| error.to_string())?;
        line.set_nodelay(true).map_err(|error| error.to_string())?;
        self.line = Some(line);
        let opening = self.opening;
        Box::pin(self.steps(opening, findings)).await
    }

    async fn steps(&mut self, steps: &[Step], findings: &mut Findings) -> Result<(), String> {
        for (number, step) in (1..).zip(steps) {
            let done = self.step(step, findings).await;
            done.map_err(|finding| format!("step {number}: {finding}"))?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step, findings: &mut Findings) -> Result<(), String> {
        match step {
            Step::Hears(octets) => self.hears(&octets.read()).await,
            Step::Says(octets) => self.says(&octets.read()).await,
            Step::Sends { id, to, text } => {
                findings.private.extend([to.clone(), text.clone()]);
                self.sends(id.clone(), to, text)
            }
            Step::Result(expected) => self.result(expected, findings).await,
            Step::Later(seconds) => {
                let milliseconds =
                    i64::try_from(seconds * 1000).map_err(|error| error.to_string())?;
                self.now.fetch_add(milliseconds, Ordering::Relaxed);
                Ok(())
            }
            Step::Came(count) => self.came(*count).await,
            Step::Stores(stores) => {
                self.host.takes_nothing.store(!stores, Ordering::Relaxed);
                Ok(())
            }
            Step::Cut => {
                self.line = None;
                self.open(findings).await
            }
            Step::Ends => {
                let rest = self.rest().await?;
                if !rest.is_empty() {
                    return Err(format!("before its end it says {}", hexadecimal(&rest)));
                }
                self.open(findings).await
            }
            Step::Restarts => {
                if let Some(tending) = self.tending.take() {
                    tending.abort();
                    drop(tending.await);
                }
                self.line = None;
                self.begin();
                self.open(findings).await
            }
        }
    }

    fn line(&mut self) -> Result<&mut TcpStream, String> {
        self.line
            .as_mut()
            .ok_or_else(|| "there is no line".to_owned())
    }

    async fn hears(&mut self, octets: &[u8]) -> Result<(), String> {
        let size = if self.octet_by_octet {
            1
        } else {
            octets.len().max(1)
        };
        let line = self.line()?;
        for piece in octets.chunks(size) {
            // A line that was closed meanwhile hears nothing more.
            drop(line.write_all(piece).await);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn says(&mut self, expected: &[u8]) -> Result<(), String> {
        let line = self.line()?;
        let mut is = Vec::new();
        while is.len() < expected.len() {
            let mut octet = [0];
            match timeout(SOON, line.read(&mut octet)).await {
                Ok(Ok(1)) => is.push(octet[0]),
                Ok(_) => return Err(format!("the line ended after {}", hexadecimal(&is))),
                Err(_) => return Err(format!("it said only {:?}", hexadecimal(&is))),
            }
            if is.last() != expected.get(is.len() - 1) {
                // The rest helps to see what it is.
                drop(line.try_read_buf(&mut is));
                let expected = hexadecimal(expected);
                return Err(format!(
                    "it said\n         {}\n     not {expected}",
                    hexadecimal(&is)
                ));
            }
        }
        Ok(())
    }

    /// All that it says until it closes the line.
    async fn rest(&mut self) -> Result<Vec<u8>, String> {
        let line = self.line()?;
        let mut rest = Vec::new();
        match timeout(SOON, line.read_to_end(&mut rest)).await {
            Ok(_) => Ok(rest),
            Err(_) => Err("it does not close the line".to_owned()),
        }
    }

    fn sends(&mut self, id: Option<String>, to: &str, text: &str) -> Result<(), String> {
        let connector = self.connector.clone().ok_or("there is no connector")?;
        self.sent += 1;
        let id = id.unwrap_or_else(|| format!("out-{}", self.sent));
        let (citizen, reply) = (
            CitizenId::new(to),
            Reply::Text {
                text: text.to_owned(),
            },
        );
        self.sends.push(tokio::spawn(async move {
            let outgoing = Outgoing {
                id: &id,
                citizen: &citizen,
                reply: &reply,
                manner: Manner::Free,
            };
            connector.send(&outgoing).await
        }));
        Ok(())
    }

    async fn result(&mut self, expected: &Value, findings: &mut Findings) -> Result<(), String> {
        if self.sends.is_empty() {
            return Err("nothing is being sent".to_owned());
        }
        let sent = timeout(SOON, self.sends.remove(0)).await;
        let sent = sent.map_err(|_| "nothing becomes of it")?;
        let sent = sent.map_err(|_| "it panicked")?;
        if let Err(error) = &sent {
            let private = self.subject.credentials();
            findings.leaks("the error", &format!("{error} {error:?}"), &private);
        }
        let is = describe::sent(&sent);
        if is == *expected {
            Ok(())
        } else {
            Err(format!("the result\n      is {is}\n  not {expected}"))
        }
    }

    async fn came(&mut self, count: usize) -> Result<(), String> {
        let enough = async {
            while self.host.events().len() < count {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waited = timeout(SOON, enough).await;
        let is = self.host.events().len();
        waited.map_err(|_| format!("{is} events came, and not {count}"))
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    crate::signature::encode_hex(octets)
}
