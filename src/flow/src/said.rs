//! What flows say, without anybody there: for prices and for tables of what channels show.

use langnghe_model::{
    Reply,
    reply::{ChoiceStyle, ContactField},
};

use crate::{
    Library,
    flow::{Flow, Kind},
    words::Template,
};

/// What stands in a place for a citizen's own words, which are not known yet.
const SAMPLE: &str = "xxxxxxxxxxxx";

/// One thing that a flow says, in its own language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The flow.
    pub flow: String,
    /// The question; `emergency` and `done` for those texts.
    pub step: String,
    /// Whether every conversation has it; others depend on answers.
    pub always: bool,
    /// The words, with samples in the place of what is not known yet.
    pub reply: Reply,
}

impl Library {
    /// Every question of every flow, and what is said at the end, in the order of the files. Shortcuts
    /// ("skip") are left out, as is the review, which is made of answers.
    pub fn said(&self) -> Vec<Said> {
        let flows = self.order.iter().filter_map(|id| self.flow(id));
        flows.flat_map(|flow| self.said_by(flow)).collect()
    }

    fn said_by(&self, flow: &Flow) -> Vec<Said> {
        let Some(texts) = flow.texts.get(flow.own) else {
            return Vec::new();
        };
        let said = |step: &str, always, reply| Said {
            flow: flow.id.clone(),
            step: step.to_owned(),
            always,
            reply,
        };
        let text = |template: &Template| Reply::Text {
            text: self.sample(template),
        };
        let mut all = Vec::new();
        if let Some(emergency) = &texts.emergency {
            all.push(said("emergency", false, text(emergency)));
        }
        for (question, words) in flow.questions.iter().zip(&texts.questions) {
            let asked = self.sample(&words.ask);
            let contact = |field| Reply::AskContact {
                text: asked.clone(),
                field,
                choices: Vec::new(),
            };
            let reply = match &question.kind {
                Kind::Location => Reply::AskLocation {
                    text: asked,
                    choices: Vec::new(),
                },
                Kind::Phone => contact(ContactField::Phone),
                Kind::Email => contact(ContactField::Email),
                _ if words.choices.is_empty() => Reply::Text { text: asked },
                _ => Reply::Choices {
                    text: asked,
                    choices: words.choices.clone(),
                    style: ChoiceStyle::Answers,
                },
            };
            all.push(said(&question.id, question.when.is_none(), reply));
        }
        if let Some(done) = &texts.done {
            all.push(said("done", true, text(done)));
        }
        all
    }

    fn sample(&self, template: &Template) -> String {
        let agency = &self.settings.agency;
        template.fill(&|name| {
            Some(match name {
                "agency" => agency.name.clone(),
                "hotline" => agency.hotline.clone(),
                "address" => agency.address.clone(),
                "privacy_url" if agency.privacy_url.is_empty() => agency.hotline.clone(),
                "privacy_url" => agency.privacy_url.clone(),
                "retention_months" => agency.retention_months.to_string(),
                _ => SAMPLE.to_owned(),
            })
        })
    }
}
