//! Places: shared, as coordinates, as a link to a map, as an address.

use langnghe_model::event::Location;

use super::Heard;
use crate::{answer::Answer, turn::Input, understand::place, words::Word};

/// A place.
pub(super) fn hear(input: &Input<'_>) -> Heard {
    if let Some(location) = &input.location {
        return Heard::Answer(Answer::Place(location.clone()));
    }
    if let Some((latitude, longitude)) = place::coordinates(&input.text) {
        let location = Location {
            latitude,
            longitude,
            accuracy: None,
            label: None,
        };
        return Heard::Answer(Answer::Place(location));
    }
    if place::is_address(&input.folded) {
        return Heard::Answer(Answer::Address(input.text.clone()));
    }
    Heard::wrong(Word::RetryLocation)
}
