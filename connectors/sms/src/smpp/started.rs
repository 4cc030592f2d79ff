//! Messages of which some parts were taken: the next attempt sends the others only.

use std::collections::{HashMap, VecDeque};

/// How many are remembered; past it the oldest would be sent whole.
const MOST: usize = 1_000;

/// One message.
#[derive(Debug)]
struct Message {
    reference: u16,
    /// By part: the id that it was taken under, empty where it was given none.
    taken: Vec<Option<String>>,
}

/// All of them, by our own name of the message.
#[derive(Debug, Default)]
pub(crate) struct Started {
    messages: HashMap<String, Message>,
    /// The oldest first.
    order: VecDeque<String>,
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
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
        let message = Message {
            reference,
            taken: vec![None; parts],
        };
        self.messages.insert(id.to_owned(), message);
        self.order.push_back(id.to_owned());
        vec![None; parts]
    }

    /// A part was taken under this id.
    pub(crate) fn took(&mut self, id: &str, place: usize, part: String) {
        let message = self.messages.get_mut(id);
        if let Some(place) = message.and_then(|message| message.taken.get_mut(place)) {
            *place = Some(part);
        }
    }

    /// All is said of a message; gives the ids of its parts.
    pub(crate) fn finish(&mut self, id: &str) -> Vec<String> {
        let Some(message) = self.messages.remove(id) else {
            return Vec::new();
        };
        self.order.retain(|other| other != id);
        message.taken.into_iter().flatten().collect()
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
}
