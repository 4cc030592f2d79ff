//! Messages of which some parts were taken: the next attempt sends the others only.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// How many are remembered; past it the oldest would be sent whole.
const MOST: usize = 1_000;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    reference: u16,
    /// By part: the id that it was taken under, empty where it was given none.
    taken: Vec<Option<String>>,
    /// An attempt ended with some parts taken and some not: it is worth being written down.
    #[serde(skip)]
    kept: bool,
}

/// All of them, by our own name of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Started {
    messages: HashMap<String, Message>,
    /// The oldest first.
    order: VecDeque<String>,
    /// Whether what is worth being written down is not what it was.
    #[serde(skip)]
    changed: bool,
}

impl Started {
    /// The reference that the parts of a message have which was begun earlier.
    pub(crate) fn reference(&self, id: &str) -> Option<u16> {
        self.messages.get(id).map(|message| message.reference)
    }

    /// An attempt begins; gives which parts are taken already.
    pub(crate) fn begin(&mut self, id: &str, reference: u16, parts: usize) -> Vec<Option<String>> {
        let known = self.messages.get(id);
        if let Some(message) = known.filter(|message| message.taken.len() == parts) {
            return message.taken.clone();
        }
        self.finish(id);
        let message = Message {
            reference,
            taken: vec![None; parts],
            kept: false,
        };
        self.insert(id.to_owned(), message);
        vec![None; parts]
    }

    fn insert(&mut self, id: String, message: Message) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            let oldest = self.messages.remove(&oldest);
            self.changed |= oldest.is_some_and(|oldest| oldest.kept);
        }
        self.messages.insert(id.clone(), message);
        self.order.push_back(id);
    }

    /// A part was taken under this id.
    pub(crate) fn took(&mut self, id: &str, place: usize, part: String) {
        let message = self.messages.get_mut(id);
        if let Some(place) = message.and_then(|message| message.taken.get_mut(place)) {
            *place = Some(part);
        }
    }

    /// An attempt ended before all parts were taken.
    pub(crate) fn stopped(&mut self, id: &str) {
        if let Some(message) = self.messages.get_mut(id)
            && message.taken.iter().any(Option::is_some)
        {
            message.kept = true;
            self.changed = true;
        }
    }

    /// All is said of a message; gives the ids of its parts.
    pub(crate) fn finish(&mut self, id: &str) -> Vec<String> {
        let Some(message) = self.messages.remove(id) else {
            return Vec::new();
        };
        self.changed |= message.kept;
        self.order.retain(|other| other != id);
        message.taken.into_iter().flatten().collect()
    }

    /// Whether what is worth being written down has changed since the last call.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What is worth being written down.
    pub(crate) fn kept(&self) -> Self {
        let kept = |id: &&String| self.messages.get(*id).is_some_and(|message| message.kept);
        let order: VecDeque<String> = self.order.iter().filter(kept).cloned().collect();
        let messages = order
            .iter()
            .filter_map(|id| Some((id.clone(), self.messages.get(id)?.clone())));
        Self {
            messages: messages.collect(),
            order,
            changed: false,
        }
    }

    /// Takes over what was written down.
    pub(crate) fn merge(&mut self, theirs: Self) {
        let Self {
            mut messages,
            order,
            ..
        } = theirs;
        for id in order {
            let Some(mut message) = messages.remove(&id) else {
                continue;
            };
            message.kept = true;
            if !self.messages.contains_key(&id) {
                self.insert(id, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_not_sent_again() {
        let mut started = Started::default();
        assert_eq!(started.begin("a", 7, 3), [None, None, None]);
        started.took("a", 0, "x".to_owned());
        started.took("a", 2, String::new());
        let left = [Some("x".to_owned()), None, Some(String::new())];
        assert_eq!(started.begin("a", 9, 3), left);
        assert_eq!(started.reference("a"), Some(7));
        started.took("a", 1, "y".to_owned());
        assert_eq!(started.finish("a"), ["x", "y", ""]);
        assert_eq!(started.reference("a"), None);
        assert!(started.order.is_empty());
    }

    #[test]
    fn another_text_begins_anew_and_memory_is_bounded() {
        let mut started = Started::default();
        started.begin("a", 7, 3);
        started.took("a", 0, "x".to_owned());
        assert_eq!(started.begin("a", 8, 2), [None, None]);
        for number in 0..5_000 {
            started.begin(&number.to_string(), 1, 2);
        }
        assert_eq!((started.messages.len(), started.order.len()), (MOST, MOST));
    }

    #[test]
    fn only_what_stopped_in_the_middle_is_written_down() {
        let mut started = Started::default();
        started.begin("a", 7, 2);
        started.begin("b", 8, 2);
        started.took("b", 0, "x".to_owned());
        started.stopped("a");
        assert!(!started.take_changed(), "nothing of it was taken");
        started.stopped("b");
        assert!(started.take_changed());
        let written = rmp_serde::to_vec(&started.kept()).expect("it can be written");
        let mut another = Started::default();
        another.merge(rmp_serde::from_slice(&written).expect("it can be read"));
        assert_eq!(another.begin("b", 1, 2), [Some("x".to_owned()), None]);
        assert_eq!(
            (another.reference("a"), another.reference("b")),
            (None, Some(8))
        );
        another.finish("b");
        assert!(another.take_changed());
        assert!(another.kept().order.is_empty());
    }
}
