//! The conditions that most flows consist of, without the interpreter: a turn asks a dozen of them.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, operators},
};

use crate::answer::Answer;

/// `has(a)`, `a == "x"`, `a != "x"`, `a in ["x", "y"]`, and these under `&&`, `||` and `!`.
#[derive(Debug)]
pub(super) enum Quick {
    Has(usize),
    Equal(usize, String),
    In(usize, Vec<String>),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl Quick {
    /// The same as an expression that was checked, where it consists of nothing else.
    pub(super) fn of(expression: &IdedExpr, names: &[(String, usize)]) -> Option<Self> {
        let Expr::Call(call) = &expression.expr else {
            return None;
        };
        let part = |index: usize| Self::of(call.args.get(index)?, names).map(Box::new);
        match (call.func_name.as_str(), call.target.is_none()) {
            ("has", true) => Some(Self::Has(question(call.args.first()?, names)?)),
            (operators::LOGICAL_NOT, _) => Some(Self::Not(part(0)?)),
            (operators::LOGICAL_AND, _) => Some(Self::And(part(0)?, part(1)?)),
            (operators::LOGICAL_OR, _) => Some(Self::Or(part(0)?, part(1)?)),
            (operators::EQUALS, _) => equal(call, names),
            (operators::NOT_EQUALS, _) => Some(Self::Not(Box::new(equal(call, names)?))),
            (operators::IN, _) => {
                let Expr::List(list) = &call.args.get(1)?.expr else {
                    return None;
                };
                let texts = list
                    .elements
                    .iter()
                    .map(|element| text(element).map(str::to_owned));
                Some(Self::In(
                    question(call.args.first()?, names)?,
                    texts.collect::<Option<_>>()?,
                ))
            }
            _ => None,
        }
    }

    /// Whether it holds.
    pub(super) fn holds<'a>(&self, answer: &dyn Fn(usize) -> Option<&'a Answer>) -> bool {
        let known = |question: usize| answer(question).and_then(Answer::as_text);
        match self {
            Self::Has(question) => answer(*question).is_some_and(Answer::is_given),
            Self::Equal(question, text) => known(*question) == Some(text.as_str()),
            Self::In(question, texts) => {
                known(*question).is_some_and(|found| texts.iter().any(|text| text == found))
            }
            Self::Not(part) => !part.holds(answer),
            Self::And(one, two) => one.holds(answer) && two.holds(answer),
            Self::Or(one, two) => one.holds(answer) || two.holds(answer),
        }
    }
}

fn equal(call: &CallExpr, names: &[(String, usize)]) -> Option<Quick> {
    let [one, two] = call.args.as_slice() else {
        return None;
    };
    let pair = |name, value| {
        Some(Quick::Equal(
            question(name, names)?,
            text(value)?.to_owned(),
        ))
    };
    pair(one, two).or_else(|| pair(two, one))
}

fn question(expression: &IdedExpr, names: &[(String, usize)]) -> Option<usize> {
    let Expr::Ident(name) = &expression.expr else {
        return None;
    };
    names
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, question)| *question)
}

fn text(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
