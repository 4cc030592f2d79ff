//! One turn: an event meets a session.

mod answering;
mod asking;
mod begin;
mod filling;
mod finish;
mod message;
mod review;
mod timer;
mod wishes;

mod input;

use langnghe_model::{Event, EventKind, Reply, event::Message, fold::fold, reply::Choice};

pub(crate) use input::Input;

use crate::{
    ContactChange, Context, Library, Session, Step,
    answer::Answer,
    flow::{Flow, Question, QuestionTexts},
    payload::Payload,
    session::{Form, Quiet},
    words::{Global, Language, Template, Word},
};

/// How long we keep quiet for a person who took the conversation over.
const QUIET: std::time::Duration = std::time::Duration::from_hours(24);

/// The words for the places of a text.
type Places = Vec<(&'static str, String)>;

/// One turn under way.
struct Turn<'t> {
    library: &'t Library,
    context: &'t Context<'t>,
    event: &'t Event,
    session: Session,
    step: Step,
    /// The number of the language that we speak.
    language: usize,
}

/// Takes a turn.
pub(crate) fn step(
    library: &Library,
    session: Option<Session>,
    event: &Event,
    context: &Context<'_>,
) -> Step {
    let mut session = session.unwrap_or_default();
    let told = context.profile.and_then(|profile| profile.language.clone());
    session.told = told.or(session.told);
    let language = spoken(library, &session);
    let mut turn = Turn {
        library,
        context,
        event,
        session,
        step: Step::default(),
        language,
    };
    turn.take();
    if turn.step.needs_tickets {
        return Step {
            needs_tickets: true,
            ..Step::default()
        };
    }
    turn.arm();
    turn.end()
}

/// The language that the citizen chose, or that the messenger told, or the default.
fn spoken(library: &Library, session: &Session) -> usize {
    let known = [&session.language, &session.told].into_iter().flatten();
    known
        .into_iter()
        .find_map(|tag| library.words.find(tag))
        .unwrap_or(library.words.default)
}

impl<'t> Turn<'t> {
    fn take(&mut self) {
        let event = self.event;
        match &event.kind {
            EventKind::Message(message) => self.message(message),
            EventKind::Postback {
                payload,
                title,
                referral,
            } => {
                let reference = referral
                    .as_ref()
                    .and_then(|referral| referral.reference.as_deref());
                let input = Input::words(title.as_deref(), payload.as_deref());
                let named = payload
                    .as_deref()
                    .and_then(|payload| self.library.flow(payload));
                match (input.payload, named, reference) {
                    (None, Some(flow), _) => self.follow_link(&flow.id),
                    (None, None, Some(reference)) => self.follow_link(reference),
                    _ => self.hear(&input),
                }
            }
            EventKind::Referral(referral) => {
                self.follow_link(referral.reference.as_deref().unwrap_or_default());
            }
            EventKind::Follow if self.session.form.is_none() && !self.is_quiet() => {
                self.start_over();
            }
            EventKind::OptOut { text } => self.opt_out(text.as_deref()),
            EventKind::OptIn => {
                self.touch();
                self.step.contact.push(ContactChange::OptedIn);
                self.say(Word::OptedIn);
            }
            EventKind::Help if !self.is_quiet() => {
                self.touch();
                self.catch_up();
                self.wished(Global::Help);
            }
            EventKind::Edit { message, text } => self.edited(message.as_str(), text),
            EventKind::Timer { name } => self.timer(name),
            EventKind::Flood if !self.is_quiet() => {
                self.say(Word::Flood);
            }
            EventKind::Control { ours } => {
                let until = self.context.now + QUIET;
                self.session.quiet = (!ours).then_some(Quiet {
                    until,
                    control: true,
                });
            }
            EventKind::Unknown { .. } => {
                self.step.set_aside = Some("an event of an unknown kind".to_owned());
            }
            // News of our own messages, and what asks for no answer.
            _ => {}
        }
    }

    fn message(&mut self, message: &'t Message) {
        let reference = message
            .referral
            .as_ref()
            .and_then(|referral| referral.reference.as_deref());
        let input = Input::of(message);
        let empty = !input.has_text() && message.attachments.is_empty() && input.payload.is_none();
        if empty && message.payload.is_none() {
            if let Some(reference) = reference {
                self.follow_link(reference);
            }
            return;
        }
        self.hear(&input);
    }

    /// The citizen wants no notices, unless the word means less here: "HUY" drops what is being
    /// filled in.
    pub(super) fn opt_out(&mut self, text: Option<&str>) {
        let cancels = text.is_some_and(|text| fold(text) == "huy");
        if cancels && self.filling().is_some() {
            return self.hear(&Input::words(text, None));
        }
        self.touch();
        self.step.contact.push(ContactChange::OptedOut);
        self.say(Word::OptedOut);
    }

    /// Starts what a link or a QR code names, or shows the start.
    fn follow_link(&mut self, reference: &str) {
        if self.is_quiet() {
            return;
        }
        self.touch();
        let started = match Payload::parse(reference) {
            Some(Payload::Start(flow)) => self.library.flow(flow),
            _ => self.library.flow(reference),
        };
        if self.filling().is_some() {
            self.ask_again(None);
        } else if let Some(flow) = started {
            self.start(flow, None);
        } else {
            self.start_over();
        }
    }

    /// True while a person holds the conversation.
    fn is_quiet(&self) -> bool {
        self.session
            .quiet
            .is_some_and(|quiet| quiet.until > self.context.now)
    }

    /// Notes that the citizen is there.
    fn touch(&mut self) {
        self.session.active = self.context.now;
        if self.session.reminded {
            self.session.reminded = false;
            // The timer that is set stands for expiry: the reminder comes first again.
            self.session.timer = None;
        }
    }

    /// The language that we speak.
    fn words(&self) -> &'t Language {
        let languages = &self.library.words.languages;
        languages
            .get(self.language)
            .unwrap_or(&languages[self.library.words.default])
    }

    /// A word without places.
    fn word(&self, word: Word) -> String {
        self.words().word(word).bare()
    }

    /// A word with words in its places.
    fn word_with(&self, word: Word, places: &[(&'static str, String)]) -> String {
        self.words().word(word).fill(&|name| {
            places
                .iter()
                .find(|(place, _)| *place == name)
                .map(|(_, word)| word.clone())
        })
    }

    /// A text of the flow, with answers in its places.
    fn fill(&self, flow: &Flow, template: &Template) -> String {
        template.fill(&|name| {
            if name == "code" {
                return Some(self.context.ticket_code.to_owned());
            }
            let question = flow.question(name)?;
            let answer = self.session.form.as_ref()?.answer(name)?;
            Some(answer.in_words(flow, question, self.language, self.words()))
        })
    }

    fn say(&mut self, word: Word) {
        let text = self.word(word);
        self.say_text(text);
    }

    fn say_text(&mut self, text: String) {
        if !text.is_empty() {
            self.step.replies.push(Reply::Text { text });
        }
    }

    /// A shortcut for a key word.
    fn shortcut(&self, label: Word, word: Global) -> Choice {
        Choice::new(self.word(label), Payload::Word(word).text())
    }

    /// The flow that the form belongs to.
    fn flow(&self) -> Option<&'t Flow> {
        let library = self.library;
        self.session
            .form
            .as_ref()
            .and_then(|form| library.version_of(form))
    }

    /// The flow that is being filled in, if it is no menu.
    fn filling(&self) -> Option<&'t Flow> {
        self.flow().filter(|flow| !flow.menu)
    }

    fn form(&mut self) -> &mut Form {
        self.session.form.get_or_insert_default()
    }

    /// The number of the question that was asked.
    fn current(&self, flow: &Flow) -> Option<usize> {
        let at = self.session.form.as_ref()?.at.as_deref()?;
        flow.question(at)
    }

    fn texts(&self, flow: &'t Flow, question: usize) -> &'t QuestionTexts {
        let texts = flow
            .texts
            .get(self.language)
            .unwrap_or(&flow.texts[flow.own]);
        &texts.questions[question]
    }

    /// Which questions are asked, given the answers; the answer to one that is not counts as none.
    fn visible(&self, flow: &Flow) -> Vec<bool> {
        let mut visible = vec![false; flow.questions.len()];
        for (index, question) in flow.questions.iter().enumerate() {
            visible[index] = self.is_visible(flow, question, &visible);
        }
        visible
    }

    fn is_visible(&self, flow: &Flow, question: &Question, earlier: &[bool]) -> bool {
        let Some(condition) = &question.when else {
            return true;
        };
        let Some(form) = &self.session.form else {
            return false;
        };
        condition.holds(&|number: usize| {
            let known = earlier.get(number).copied().unwrap_or(false);
            flow.questions
                .get(number)
                .filter(|_| known)
                .and_then(|named| form.answer(&named.id))
        })
    }

    /// The answer to a question by its number.
    fn answer_to(&self, flow: &Flow, question: usize) -> Option<&Answer> {
        self.session
            .form
            .as_ref()?
            .answer(&flow.questions[question].id)
    }

    /// The step that this turn became.
    fn end(mut self) -> Step {
        let worth = self.session.form.is_some()
            || self.session.language.is_some()
            || self.session.pending.is_some()
            || self.session.quiet.is_some()
            || self.session.timer.is_some();
        self.step.session = worth.then_some(self.session);
        self.step
    }
}
