//! Texts with gaps for a message: `{"to": {{ national | tojson }}}`.

use std::{collections::BTreeMap, fmt};

use minijinja::{Environment, UndefinedBehavior, Value};
use secrecy::{ExposeSecret, SecretString};

/// How many steps filling a text may take: one that loops for long is none for a message.
const FUEL: u64 = 20_000;

/// A text with gaps.
#[derive(Clone)]
pub struct Template {
    environment: Environment<'static>,
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Template(…)")
    }
}

/// Why a text with gaps is none, in words for whoever wrote it; never holds what fills them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    message: String,
}

/// What fills the gaps beside the message.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// The account's name.
    pub user: Option<SecretString>,
    /// Its password.
    pub password: Option<SecretString>,
    /// Its key or token.
    pub key: Option<SecretString>,
    /// The brandname or number.
    pub sender: Option<String>,
}

/// What of a message fills the gaps.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    /// Names the message over all attempts: 32 hexadecimal digits.
    pub(super) id: String,
    /// `+84912345678`
    pub(super) to: String,
    /// `84912345678`
    pub(super) international: String,
    /// `0912345678`
    pub(super) national: String,
    pub(super) text: String,
    pub(super) unicode: bool,
    pub(super) parts: usize,
}

impl Template {
    /// Reads a text with gaps and fills it once, so that a name that does not exist is found now.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn new(text: &str, values: &Values) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        let added = environment.add_template_owned("text", text.to_owned());
        added.map_err(|error| in_words(&error))?;
        let template = Self { environment };
        let sample = Message {
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            to: "+84912345678".to_owned(),
            international: "84912345678".to_owned(),
            national: "0912345678".to_owned(),
            text: "Dạ, \"mẫu\"".to_owned(),
            unicode: true,
            parts: 1,
        };
        template.fill(values, &sample)?;
        Ok(template)
    }

    /// Fills the gaps.
    pub(super) fn fill(&self, values: &Values, message: &Message) -> Result<String, TemplateError> {
        let mut gaps: BTreeMap<&str, Value> = BTreeMap::from([
            ("id", Value::from(&*message.id)),
            ("to", Value::from(&*message.to)),
            ("international", Value::from(&*message.international)),
            ("national", Value::from(&*message.national)),
            ("text", Value::from(&*message.text)),
            ("unicode", Value::from(message.unicode)),
            ("parts", Value::from(message.parts)),
        ]);
        // One that is not configured is no name, so that its use is found.
        for (name, secret) in [
            ("user", &values.user),
            ("password", &values.password),
            ("key", &values.key),
        ] {
            if let Some(secret) = secret {
                gaps.insert(name, Value::from(secret.expose_secret()));
            }
        }
        if let Some(sender) = &values.sender {
            gaps.insert("sender", Value::from(&**sender));
        }
        let template = self.environment.get_template("text");
        let filled = template.and_then(|template| template.render(gaps));
        filled.map_err(|error| in_words(&error))
    }
}

/// The kind, the line and what it is about. The error itself can show values, which its detail does not.
fn in_words(error: &minijinja::Error) -> TemplateError {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(" in line {line}"));
    TemplateError {
        message: format!("{}{line}", error.kind()),
    }
}
