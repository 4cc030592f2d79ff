//! Free ports for what the tests start.

use std::sync::atomic::{AtomicU16, Ordering};

/// A port that is free now. They are taken from below the range that the system gives to outgoing
/// connections, so that none of these takes it between two starts of a program.
///
/// # Panics
/// When there is none.
pub fn free() -> u16 {
    const FIRST: u16 = 10_240;
    const COUNT: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(u64::from(std::process::id()) * 97 % u64::from(COUNT));
    let offset = offset.expect("less than the count");
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset + step % COUNT) % COUNT;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
