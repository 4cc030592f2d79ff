//! One timer a conversation, set once and looked at when it fires: an ordinary turn changes none.

use std::time::Duration;

use super::Turn;
use crate::{TimerRequest, flow::Flow, words::Word};

/// The timer's name.
const IDLE: &str = "idle";
/// The least time between a reminder and the end.
const GRACE: Duration = Duration::from_mins(30);

impl Turn<'_> {
    /// The timer came due: reminds, closes, or waits on.
    pub(super) fn timer(&mut self, name: &str) {
        let now = self.context.now;
        // Clocks of two replicas may differ a little; a timer that was set anew is not meant.
        let stale = self
            .session
            .timer
            .is_none_or(|due| due > now + Duration::from_secs(2));
        if name != IDLE || stale {
            return;
        }
        self.session.timer = None;
        let Some(flow) = self.filling() else { return };
        let idle = now.since(self.session.active);
        if self.is_quiet() {
            return;
        }
        if self.session.reminded {
            if idle >= self.expires(flow) {
                self.drop_form();
                self.say(Word::Expired);
            }
        } else if idle >= self.reminder(flow) {
            self.session.reminded = true;
            let texts = flow
                .texts
                .get(self.language)
                .unwrap_or(&flow.texts[flow.own]);
            let text = self.word_with(Word::Reminder, &[("title", texts.title.clone())]);
            self.say_text(text);
        }
    }

    fn reminder(&self, flow: &Flow) -> Duration {
        let question = self.current(flow).map(|index| &flow.questions[index]);
        question
            .and_then(|question| question.reminder)
            .unwrap_or(flow.reminder)
    }

    fn expires(&self, flow: &Flow) -> Duration {
        let question = self.current(flow).map(|index| &flow.questions[index]);
        question
            .and_then(|question| question.expires)
            .unwrap_or(flow.expires)
            .max(self.reminder(flow))
    }

    /// Sets the timer where none is set, takes it back where nothing waits any more.
    pub(super) fn arm(&mut self) {
        let Some(flow) = self.filling() else {
            if self.session.timer.take().is_some() {
                self.step.timers.push(TimerRequest {
                    name: IDLE.to_owned(),
                    at: None,
                });
            }
            return;
        };
        let now = self.context.now;
        let mut due = if self.session.reminded {
            // A reminder that came late (we were down) still leaves time to answer it.
            (self.session.active + self.expires(flow)).max(now + self.reminder(flow).min(GRACE))
        } else {
            (self.session.active + self.reminder(flow)).max(now)
        };
        if let Some(quiet) = self.session.quiet {
            // A person has the word; what was begun waits.
            due = due.max(quiet.until);
        }
        if self.session.timer.is_none_or(|set| set > due) {
            self.session.timer = Some(due);
            self.step.timers.push(TimerRequest {
                name: IDLE.to_owned(),
                at: Some(due),
            });
        }
    }
}
