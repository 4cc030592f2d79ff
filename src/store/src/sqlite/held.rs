//! Leases on their way to a caller: when the caller goes away before they arrive, they are given
//! back at once rather than when they run out.

use super::{state::State, writer::Handle};

type GiveBack<T> = fn(&mut State, &T);

/// See the module.
pub(super) struct Held<T: Clone + Send + 'static> {
    what: Option<T>,
    handle: Handle,
    give_back: GiveBack<T>,
}

impl<T: Clone + Send + 'static> Held<T> {
    pub(super) fn new(what: T, handle: Handle, give_back: GiveBack<T>) -> Self {
        Self {
            what: Some(what),
            handle,
            give_back,
        }
    }

    /// What is held.
    pub(super) fn what(&self) -> Option<&T> {
        self.what.as_ref()
    }

    /// The caller has it now.
    pub(super) fn hand_over(mut self) -> Option<T> {
        self.what.take()
    }
}

impl<T: Clone + Send + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        if let Some(what) = self.what.take() {
            let give_back = self.give_back;
            self.handle.post(move |state| {
                give_back(state, &what);
                Ok(())
            });
        }
    }
}
