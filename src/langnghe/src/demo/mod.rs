//! What `langnghe demo` has beside a replica: its data folder, a front page, a small agency inbox.

pub(crate) mod folder;
pub(crate) mod front_page;
pub(crate) mod inbox;
