//! What a citizen thinks of a notice becomes a ticket.

use langnghe_desk::{code, ticket};
use langnghe_flow::AboutTicket;
use langnghe_model::{Event, TicketId, event::Feedback};
use langnghe_store::TicketNote;

use super::{Surroundings, Work};

impl Work {
    /// Makes a ticket of what a citizen thinks of a notice, and a line in the history of the ticket that the
    /// notice was about. Gives that one's code where it has to be looked up first.
    pub(super) fn hear_feedback(
        &mut self,
        feedback: &Feedback,
        event: &Event,
        body: &[u8],
        around: Surroundings<'_>,
    ) -> Option<String> {
        let known = match &feedback.ticket {
            Some(code) => match around.about.get(code) {
                Some(known) => known.as_ref(),
                None => return Some(code.clone()),
            },
            None => None,
        };
        let Some(about) = known else {
            // A message of another program on the same account, or of before tickets were named.
            let reason = "feedback on a message that is about no ticket of ours";
            self.set_aside(reason.to_owned(), body, around.metrics);
            return None;
        };
        let subject = AboutTicket {
            code: &about.code,
            title: &about.title,
            backend: about.backend.as_ref(),
        };
        let code = code::from_random(rand::random());
        let draft = around
            .library
            .feedback(feedback, subject, code.as_str().to_owned());
        let id = TicketId::new(uuid::Uuid::now_v7().to_string());
        let ticket = ticket::compose(&draft, id, &event.conversation, around.now);
        self.commit.tickets.push(ticket);
        let stars = feedback.rating.map(|stars| format!("{stars}/5"));
        let stars = stars.as_deref().unwrap_or("answered");
        let note = TicketNote {
            at: around.now,
            what: "feedback".to_owned(),
            detail: Some(format!("{} {stars}", event.id.as_str())),
        };
        // Should we have died between it and the commit, it is there already.
        let is_there = |kept: &TicketNote| kept.what == note.what && kept.detail == note.detail;
        if !about.history.iter().any(is_there) {
            self.notes.push((about.code.clone(), note));
        }
        None
    }
}
