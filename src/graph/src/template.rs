//! Messages in a form that Meta approved beforehand.

use langnghe_connector::SendError;
use langnghe_model::Template;
use serde_json::{Value, json};

/// Which approved template stands for one of our names, and what goes into its gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateForm {
    /// Meta's name of it: lower-case letters, digits and `_`, at most 512.
    pub name: String,
    /// The language that it was approved in (`vi`).
    pub language: String,
    /// Our names of what fills the gaps of its body, in their order.
    pub parameters: Vec<String>,
    /// Meta's names of the gaps, in the same order, where the template was made with named ones.
    pub named: Option<Vec<String>>,
}

impl TemplateForm {
    /// Why Meta could never take it, if so.
    pub fn objection(&self) -> Option<&'static str> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=512).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Some("a template's name is of a-z, 0-9 and _, at most 512");
        }
        if self.language.trim().is_empty() {
            return Some("a template needs the language that it was approved in");
        }
        let uneven = |names: &Vec<String>| names.len() != self.parameters.len();
        self.named
            .as_ref()
            .is_some_and(uneven)
            .then_some("a template with named gaps needs one name for each parameter")
    }

    /// The `template` object of a message.
    ///
    /// # Errors
    /// [`SendError::Rejected`] when something that goes into a gap was not given.
    pub fn fill(&self, template: &Template) -> Result<Value, SendError> {
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for (place, ours) in self.parameters.iter().enumerate() {
            let value = template.parameters.get(ours);
            let value = value.ok_or_else(|| SendError::Rejected {
                code: "a parameter of the template is missing".to_owned(),
            })?;
            let mut parameter = json!({ "type": "text", "text": in_one_line(value) });
            if let Some(theirs) = self.named.as_ref().and_then(|named| named.get(place)) {
                parameter["parameter_name"] = theirs.as_str().into();
            }
            parameters.push(parameter);
        }
        let mut filled = json!({ "name": self.name, "language": { "code": self.language } });
        if !parameters.is_empty() {
            filled["components"] = json!([{ "type": "body", "parameters": parameters }]);
        }
        Ok(filled)
    }
}

/// Gaps take neither line breaks nor runs of spaces, nor nothing.
fn in_one_line(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    if words.is_empty() {
        return "-".to_owned();
    }
    words.join(" ")
}
