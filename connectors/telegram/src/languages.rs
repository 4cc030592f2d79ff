//! The languages that citizens' Telegram is set to. Updates tell them, the profile does not.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use langnghe_model::CitizenId;

/// So many citizens are remembered; a profile is asked for when a conversation begins, so it is the
/// newest that count.
const MOST: usize = 4096;

/// A bounded memory of languages. Worth little when lost: it only greets in the right language.
#[derive(Default)]
pub(crate) struct Languages(Mutex<Known>);

#[derive(Default)]
struct Known {
    tags: HashMap<CitizenId, String>,
    order: VecDeque<CitizenId>,
}

impl fmt::Debug for Languages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Languages(…)")
    }
}

impl Languages {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an update told.
    pub(crate) fn note(&self, citizen: &CitizenId, tag: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(2..=35).contains(&tag.len()) || !tag.bytes().all(plain) {
            return;
        }
        let mut known = self.known();
        if known.tags.insert(citizen.clone(), tag.to_owned()).is_none() {
            known.order.push_back(citizen.clone());
        }
        if known.order.len() > MOST
            && let Some(oldest) = known.order.pop_front()
        {
            known.tags.remove(&oldest);
        }
    }

    /// What is known of a citizen.
    pub(crate) fn of(&self, citizen: &CitizenId) -> Option<String> {
        self.known().tags.get(citizen).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_odd_tags_are_not() {
        let languages = Languages::default();
        let citizen = |number: usize| CitizenId::new(&number.to_string());
        for number in 0..=MOST {
            languages.note(&citizen(number), "vi");
        }
        languages.note(&citizen(1), "pt-br");
        languages.note(&citizen(2), "v\n");
        let of = |number| languages.of(&citizen(number));
        assert_eq!(of(0), None);
        assert_eq!(of(1).as_deref(), Some("pt-br"));
        assert_eq!(of(2).as_deref(), Some("vi"));
    }
}
