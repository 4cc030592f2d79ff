//! What a replica remembers of those who wrote lately. It may forget anything at any time: then
//! "typing" is not shown, a name is not known, a wait begins anew.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How many are remembered in each of the two halves.
const HALF: usize = 5_000;

/// The longest wait for the pair limit: 4^6 s.
const LONGEST: u32 = 6;

/// What is remembered of one.
#[derive(Clone, Debug, Default)]
struct Citizen {
    /// Their last message: what "read" and "typing" refer to.
    message: Option<String>,
    /// Their name in WhatsApp.
    name: Option<String>,
    /// How often in a row the pair limit met us.
    throttled: u32,
}

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<String, Citizen>,
    old: HashMap<String, Citizen>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Halves>);

impl Halves {
    fn of(&self, citizen: &str) -> Option<&Citizen> {
        self.young.get(citizen).or_else(|| self.old.get(citizen))
    }

    fn change(&mut self, citizen: &str) -> &mut Citizen {
        if !self.young.contains_key(citizen) {
            if self.young.len() >= HALF {
                self.old = std::mem::take(&mut self.young);
            }
            let known = self.old.remove(citizen).unwrap_or_default();
            self.young.insert(citizen.to_owned(), known);
        }
        self.young.entry(citizen.to_owned()).or_default()
    }
}

impl Recent {
    fn with<T>(&self, act: impl FnOnce(&mut Halves) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A citizen wrote.
    pub(crate) fn wrote(&self, citizen: &str, message: &str, name: Option<&str>) {
        self.with(|halves| {
            let known = halves.change(citizen);
            known.message = Some(message.to_owned());
            if let Some(name) = name {
                known.name = Some(name.to_owned());
            }
        });
    }

    /// The citizen's last message.
    pub(crate) fn message(&self, citizen: &str) -> Option<String> {
        self.with(|halves| halves.of(citizen)?.message.clone())
    }

    /// The citizen's name.
    pub(crate) fn name(&self, citizen: &str) -> Option<String> {
        self.with(|halves| halves.of(citizen)?.name.clone())
    }

    /// The pair limit met us: for how long to wait, 4^n seconds for the n-th time in a row.
    pub(crate) fn throttled(&self, citizen: &str) -> Duration {
        self.with(|halves| {
            let known = halves.change(citizen);
            known.throttled = (known.throttled + 1).min(LONGEST);
            Duration::from_secs(4_u64.pow(known.throttled))
        })
    }

    /// A message was taken.
    pub(crate) fn taken(&self, citizen: &str) {
        self.with(|halves| {
            if halves.of(citizen).is_some_and(|known| known.throttled > 0) {
                halves.change(citizen).throttled = 0;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_latest_stay() {
        let recent = Recent::default();
        for number in 0..3 * HALF {
            recent.wrote(&format!("84{number}"), &format!("wamid.{number}"), None);
        }
        let held = recent.with(|halves| halves.young.len() + halves.old.len());
        assert!(held <= 2 * HALF, "{held}");
        assert_eq!(recent.message("840"), None);
        let last = 3 * HALF - 1;
        assert_eq!(
            recent.message(&format!("84{last}")),
            Some(format!("wamid.{last}"))
        );
    }

    #[test]
    fn waits_for_the_pair_limit_grow_and_begin_anew() {
        let recent = Recent::default();
        let waits: Vec<u64> = (0..8).map(|_| recent.throttled("84").as_secs()).collect();
        assert_eq!(waits, [4, 16, 64, 256, 1024, 4096, 4096, 4096]);
        recent.taken("84");
        assert_eq!(recent.throttled("84").as_secs(), 4);
    }
}
