//! What the parts of an expression can be, and what can be found wrong with them.

use std::ops::Range;

/// What a part of an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Number,
    Truth,
    List,
    Place,
    Null,
    Unknown,
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::List => "a list",
            Self::Place => "a place",
            Self::Null => "null",
            Self::Unknown => "unknown",
        }
    }
}

/// A question that an expression may name.
#[derive(Clone, Debug)]
pub(crate) struct Variable<'f> {
    /// Its id with underscores, as CEL wants names.
    pub(crate) name: String,
    /// Its number.
    pub(crate) question: usize,
    pub(crate) kind: Type,
    /// The values that it can have, where they are known.
    pub(crate) values: Vec<&'f str>,
}

/// Something wrong, at bytes of the expression.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

/// Methods: how many arguments, of what, giving what.
pub(super) const METHODS: [(&str, usize, Type, Type); 7] = [
    ("contains", 1, Type::Text, Type::Truth),
    ("startsWith", 1, Type::Text, Type::Truth),
    ("endsWith", 1, Type::Text, Type::Truth),
    ("matches", 1, Type::Text, Type::Truth),
    ("size", 0, Type::Unknown, Type::Number),
    ("lowerAscii", 0, Type::Text, Type::Text),
    ("trim", 0, Type::Text, Type::Text),
];
