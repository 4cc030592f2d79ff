//! Checks the names and types of an expression.

use std::ops::Range;

use cel::{
    IdedExpr, Program,
    common::ast::{CallExpr, Expr, LiteralValue, operators},
};

use super::{
    operands,
    types::{Finding, METHODS, Type, Variable},
};
use crate::reader::nearest;

/// Checks the names and types of `program` against the questions before it (`known`)
/// and after it (`later`); gives the names that it uses and what is wrong.
pub(crate) fn check(
    program: &Program,
    text: &str,
    known: &[Variable<'_>],
    later: &[String],
) -> (Vec<(String, usize)>, Vec<Finding>) {
    let mut checker = Checker {
        program,
        text,
        known,
        later,
        used: Vec::new(),
        findings: Vec::new(),
    };
    let root = program.expression();
    let kind = checker.type_of(root);
    if checker.findings.is_empty() && !matches!(kind, Type::Truth | Type::Unknown) {
        checker.find(
            "flow::when-type",
            0..text.len(),
            format!("`when` must be true or false, this is {}", kind.name()),
            kind.name(),
            Some("compare it with something: `… == \"…\"`, or ask `has(…)`".to_owned()),
        );
    }
    (checker.used, checker.findings)
}

struct Checker<'c, 'f> {
    program: &'c Program,
    text: &'c str,
    known: &'c [Variable<'f>],
    later: &'c [String],
    used: Vec<(String, usize)>,
    findings: Vec<Finding>,
}

impl Checker<'_, '_> {
    fn find(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let (message, label) = (message.into(), label.into());
        self.findings.push(Finding {
            code,
            span,
            message,
            label,
            help,
        });
    }

    /// The bytes of a part; the parser gives the last byte, not the one after it.
    fn span(&self, part: &IdedExpr) -> Range<usize> {
        let Some((start, stop)) = self.program.source_info().offset_for(part.id) else {
            return 0..self.text.len();
        };
        let byte = |at: u32| {
            let at = usize::try_from(at)
                .unwrap_or(usize::MAX)
                .min(self.text.len());
            self.text.ceil_char_boundary(at)
        };
        let (start, stop) = (byte(start), byte(stop.saturating_add(1)));
        start..stop.max(start)
    }

    fn type_of(&mut self, part: &IdedExpr) -> Type {
        match &part.expr {
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Type::Truth,
                LiteralValue::Double(_) | LiteralValue::Int(_) | LiteralValue::UInt(_) => {
                    Type::Number
                }
                LiteralValue::String(_) => Type::Text,
                LiteralValue::Null => Type::Null,
                LiteralValue::Bytes(_) => Type::Unknown,
            },
            Expr::Ident(name) => self.name(part, name),
            Expr::List(list) => {
                for element in &list.elements {
                    self.type_of(element);
                }
                Type::List
            }
            Expr::Call(call) => self.call(part, call),
            Expr::Select(select) => {
                let kind = self.type_of(&select.operand);
                if kind == Type::Place && ["latitude", "longitude"].contains(&select.field.as_str())
                {
                    return Type::Number;
                }
                if kind != Type::Unknown {
                    let message = format!("{} has no `.{}`", kind.name(), select.field);
                    let help = "a place has `.latitude` and `.longitude`".to_owned();
                    self.find(
                        "flow::when-type",
                        self.span(part),
                        message,
                        "no such part",
                        Some(help),
                    );
                }
                Type::Unknown
            }
            _ => {
                let message = "`when` cannot hold this kind of expression";
                self.find(
                    "flow::when-syntax",
                    self.span(part),
                    message,
                    "not used here",
                    None,
                );
                Type::Unknown
            }
        }
    }

    fn name(&mut self, part: &IdedExpr, name: &str) -> Type {
        if let Some(variable) = self.known.iter().find(|variable| variable.name == name) {
            let used = (variable.name.clone(), variable.question);
            if !self.used.contains(&used) {
                self.used.push(used);
            }
            return variable.kind;
        }
        let start = self.span(part).start;
        let span = start..(start + name.len()).min(self.text.len());
        if self.later.iter().any(|later| later == name) {
            let message = format!("`{name}` is asked only after this question");
            let help = "`when` can look at earlier answers only: move one of the two".to_owned();
            self.find(
                "flow::when-later",
                span,
                message,
                "not answered yet",
                Some(help),
            );
            return Type::Unknown;
        }
        let names = self.known.iter().map(|variable| variable.name.as_str());
        let help = match nearest(name, names.clone()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None => {
                let names: Vec<&str> = names.collect();
                (!names.is_empty()).then(|| format!("earlier questions: {}", names.join(", ")))
            }
        };
        let message = format!("no earlier question is called `{name}`");
        self.find(
            "flow::when-unknown-name",
            span,
            message,
            "unknown name",
            help,
        );
        Type::Unknown
    }

    fn call(&mut self, part: &IdedExpr, call: &CallExpr) -> Type {
        let kinds: Vec<Type> = operands(call)
            .map(|operand| self.type_of(operand))
            .collect();
        let name = call.func_name.as_str();
        match (name, kinds.as_slice()) {
            ("has", [_]) if call.target.is_none() => {
                if !matches!(call.args[0].expr, Expr::Ident(_)) {
                    let span = self.span(&call.args[0]);
                    let message = "`has` asks whether a question was answered";
                    let help = Some("write `has(question_id)`".to_owned());
                    self.find("flow::when-type", span, message, "not a question", help);
                }
                Type::Truth
            }
            ("size" | operators::NEGATE, [_]) => Type::Number,
            (operators::LOGICAL_NOT, [one]) => self.truth(part, &[(*one, &call.args[0])]),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [one, two]) => {
                self.truth(part, &[(*one, &call.args[0]), (*two, &call.args[1])])
            }
            (
                operators::EQUALS
                | operators::NOT_EQUALS
                | operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [one, two],
            ) => {
                self.comparable(part, call, *one, *two);
                Type::Truth
            }
            (operators::IN, [one, two]) => {
                if !matches!(two, Type::List | Type::Unknown) {
                    let message = format!("`in` looks into a list, this is {}", two.name());
                    self.find(
                        "flow::when-type",
                        self.span(&call.args[1]),
                        message,
                        two.name(),
                        None,
                    );
                }
                let _: &Type = one;
                self.values(&call.args[1], &call.args[0]);
                if let Expr::List(list) = &call.args[1].expr {
                    for element in &list.elements {
                        self.values(&call.args[0], element);
                    }
                }
                Type::Truth
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO,
                [one, two],
            ) => {
                if one == two {
                    *one
                } else {
                    Type::Unknown
                }
            }
            (operators::CONDITIONAL, [_, two, three]) => {
                if two == three {
                    *two
                } else {
                    Type::Unknown
                }
            }
            (operators::INDEX, [_, _]) => Type::Unknown,
            _ => self.method(part, call, &kinds),
        }
    }

    fn method(&mut self, part: &IdedExpr, call: &CallExpr, kinds: &[Type]) -> Type {
        let name = call.func_name.as_str();
        let known = METHODS.iter().find(|(method, ..)| *method == name);
        let (Some((_, arguments, target, result)), Some(_)) = (known, &call.target) else {
            let names = METHODS.iter().map(|(method, ..)| *method).chain(["has"]);
            let help = match nearest(name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
            };
            let span = self.span(part);
            // The place of a method is its parenthesis.
            let before = &self.text[..span.end.min(self.text.len())];
            let start = before.rfind(name).unwrap_or(span.start);
            let span = start..(start + name.len()).min(self.text.len());
            let message = format!("there is no function `{name}` here");
            self.find(
                "flow::when-function",
                span,
                message,
                "unknown function",
                Some(help),
            );
            return Type::Unknown;
        };
        if call.args.len() != *arguments {
            let message = format!(
                "`{name}` takes {arguments} argument(s), not {}",
                call.args.len()
            );
            self.find(
                "flow::when-function",
                self.span(part),
                message,
                "wrong number",
                None,
            );
        }
        let found = kinds.first().copied().unwrap_or(Type::Unknown);
        if *target != Type::Unknown && found != Type::Unknown && found != *target {
            let message = format!(
                "`{name}` works on {}, this is {}",
                target.name(),
                found.name()
            );
            let place = call
                .target
                .as_deref()
                .map_or(0..self.text.len(), |part| self.span(part));
            self.find("flow::when-type", place, message, found.name(), None);
        }
        *result
    }

    fn truth(&mut self, _whole: &IdedExpr, parts: &[(Type, &IdedExpr)]) -> Type {
        for (kind, part) in parts {
            if !matches!(kind, Type::Truth | Type::Unknown) {
                let message = format!("this must be true or false, it is {}", kind.name());
                self.find(
                    "flow::when-type",
                    self.span(part),
                    message,
                    kind.name(),
                    None,
                );
            }
        }
        Type::Truth
    }

    fn comparable(&mut self, part: &IdedExpr, call: &CallExpr, one: Type, two: Type) {
        let never_equal = one != two
            && ![one, two]
                .iter()
                .any(|kind| matches!(kind, Type::Unknown | Type::Null));
        if never_equal {
            let message = format!("{} is never compared with {}", one.name(), two.name());
            let help = (one == Type::List || two == Type::List)
                .then(|| "ask whether it holds a value: `\"…\" in …`".to_owned());
            self.find(
                "flow::when-type",
                self.span(part),
                message,
                "always false",
                help,
            );
        } else {
            self.values(&call.args[0], &call.args[1]);
            self.values(&call.args[1], &call.args[0]);
        }
    }

    /// Tells when `value` is a text that the question `name` can never have.
    fn values(&mut self, name: &IdedExpr, value: &IdedExpr) {
        let (Expr::Ident(name), Expr::Literal(LiteralValue::String(text))) =
            (&name.expr, &value.expr)
        else {
            return;
        };
        let Some(variable) = self.known.iter().find(|variable| variable.name == *name) else {
            return;
        };
        if variable.values.is_empty() || variable.values.contains(&text.inner()) {
            return;
        }
        let help = match nearest(text.inner(), variable.values.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its choices: {}", variable.values.join(", ")),
        };
        let message = format!("`{name}` has no choice `{}`", text.inner());
        self.find(
            "flow::when-unknown-choice",
            self.span(value),
            message,
            "no such choice",
            Some(help),
        );
    }
}
