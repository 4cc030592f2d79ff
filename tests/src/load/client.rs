//! Fires prepared requests over keep-alive connections and takes the time of every answer.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::plan::{Plan, Script};

/// The longest that one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How often a request that was refused for now (503) is sent again.
const ATTEMPTS: usize = 200;

/// How fast requests are sent.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each connection sends as soon as it has its answer.
    ClosedLoop,
    /// So many requests a second over all connections, whether answers are there or not; the time of
    /// an answer counts from the moment at which its request was due.
    OpenLoop(f64),
}

/// What came of firing a plan.
#[derive(Clone, Debug, Default)]
pub struct Fired {
    /// Requests answered with 200.
    pub accepted: usize,
    /// Answers of 503; each was sent again.
    pub refused: usize,
    /// From the first request to the last answer.
    pub time: Duration,
    /// Microseconds to each 200, sorted.
    pub microseconds: Vec<u32>,
}

impl Fired {
    /// Accepted requests a second.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.time.as_secs_f64()
    }

    /// The time in milliseconds that `part` (0 to 1) of the answers stayed below.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index into the list that it is computed from"
    )]
    pub fn quantile(&self, part: f64) -> f64 {
        let last = self.microseconds.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        self.microseconds
            .get(index)
            .map_or(0.0, |time| f64::from(*time) / 1000.0)
    }
}

/// Fires a plan from a thread of its own, its connections spread over the addresses.
///
/// # Errors
/// When a connection fails or an answer is neither 200 nor 503.
///
/// # Panics
/// When the thread cannot be started.
pub fn fire(addresses: &[SocketAddr], plan: &Arc<Plan>, pace: Pace) -> Result<Fired, String> {
    let (addresses, plan) = (addresses.to_vec(), Arc::clone(plan));
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .map_err(|error| error.to_string())?
            .block_on(fire_all(&addresses, plan, pace))
    });
    thread.join().expect("the firing thread does not panic")
}

async fn fire_all(addresses: &[SocketAddr], plan: Arc<Plan>, pace: Pace) -> Result<Fired, String> {
    let mut streams = Vec::new();
    for (number, _) in plan.scripts.iter().enumerate() {
        let address = addresses[number % addresses.len()];
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| format!("connect: {error}"))?;
        stream
            .set_nodelay(true)
            .map_err(|error| format!("no delay: {error}"))?;
        streams.push(stream);
    }
    let begin = Instant::now();
    let mut connections = JoinSet::new();
    let count = streams.len();
    for (number, stream) in streams.into_iter().enumerate() {
        let plan = Arc::clone(&plan);
        connections.spawn(async move {
            let connection = Connection {
                stream,
                buffer: vec![0; 4096],
                filled: 0,
            };
            connection
                .run(&plan.scripts[number], pace, begin, number, count)
                .await
        });
    }
    let mut all = Fired::default();
    while let Some(one) = connections.join_next().await {
        let one = one.map_err(|error| error.to_string())??;
        all.accepted += one.accepted;
        all.refused += one.refused;
        all.microseconds.extend(one.microseconds);
    }
    all.time = begin.elapsed();
    all.microseconds.sort_unstable();
    Ok(all)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    async fn run(
        mut self,
        script: &Script,
        pace: Pace,
        begin: Instant,
        number: usize,
        connections: usize,
    ) -> Result<Fired, String> {
        let mut fired = Fired {
            microseconds: Vec::with_capacity(script.len()),
            ..Fired::default()
        };
        for request in 0..script.len() {
            let due = match pace {
                Pace::ClosedLoop => Instant::now(),
                Pace::OpenLoop(rate) => {
                    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
                    let earlier = (request * connections + number) as f64;
                    let due = begin + Duration::from_secs_f64(earlier / rate);
                    tokio::time::sleep_until(due.into()).await;
                    due
                }
            };
            let mut attempts = 0;
            loop {
                let status = self.ask(script.request(request)).await?;
                match status {
                    200 => break,
                    503 if attempts < ATTEMPTS => {
                        attempts += 1;
                        fired.refused += 1;
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    other => return Err(format!("a webhook was answered {other}")),
                }
            }
            fired.accepted += 1;
            let time = due.elapsed().as_micros();
            fired
                .microseconds
                .push(u32::try_from(time).unwrap_or(u32::MAX));
        }
        Ok(fired)
    }

    async fn ask(&mut self, request: &[u8]) -> Result<u16, String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| format!("write: {error}"))?;
        match tokio::time::timeout(ANSWER, self.answer()).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {ANSWER:?}")),
        }
    }

    /// Reads one answer; gives its status.
    async fn answer(&mut self) -> Result<u16, String> {
        loop {
            if let Some((status, length)) = parse(&self.buffer[..self.filled])? {
                self.buffer.copy_within(length..self.filled, 0);
                self.filled -= length;
                return Ok(status);
            }
            if self.filled == self.buffer.len() {
                return Err("an answer is longer than any webhook's".to_owned());
            }
            let read = self.stream.read(&mut self.buffer[self.filled..]).await;
            match read.map_err(|error| format!("read: {error}"))? {
                0 => return Err("the connection was closed".to_owned()),
                read => self.filled += read,
            }
        }
    }
}

/// The status and the length of a whole answer, once it is there.
fn parse(bytes: &[u8]) -> Result<Option<(u16, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "a head is not text")?;
    let status = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .ok_or("no status")?;
    let mut body = 0;
    for line in head.split("\r\n").skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            body = value.trim().parse().map_err(|_| "no length")?;
        }
    }
    let length = end + 4 + body;
    Ok((length <= bytes.len()).then_some((status, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_cut_where_they_end() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 ";
        assert_eq!(parse(answer), Ok(Some((503, answer.len() - 9))));
        assert_eq!(parse(&answer[..answer.len() - 10]), Ok(None));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n"), Ok(None));
    }

    #[test]
    fn quantiles_are_of_the_sorted_times() {
        let fired = Fired {
            microseconds: (1..=1000).map(|time| time * 1000).collect(),
            ..Fired::default()
        };
        assert!((fired.quantile(0.5) - 501.0).abs() < 1.5);
        assert!((fired.quantile(0.99) - 990.0).abs() < 1.5);
    }
}
