//! `when`: an expression in CEL over earlier answers, checked at load.

mod check;
mod quick;
mod types;

use std::sync::{Arc, LazyLock};

use cel::{
    Context, Env, IdedExpr, Value,
    common::ast::{CallExpr, Expr, LiteralValue, operators},
};

pub(crate) use check::check;
pub(crate) use types::{Type, Variable};

use crate::answer::Answer;

/// CEL without its macros: `has` of a plain name is ours, the others would hide names from the check.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::default().with_stdlib()));

/// A checked expression over answers.
pub(crate) struct Condition {
    expression: IdedExpr,
    quick: Option<quick::Quick>,
    /// The names that it uses and the numbers of their questions.
    names: Vec<(String, usize)>,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Condition")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Condition {
    /// Takes an expression that [`check`] had nothing against.
    pub(crate) fn new(mut expression: IdedExpr, names: Vec<(String, usize)>) -> Self {
        let quick = quick::Quick::of(&expression, &names);
        rewrite(&mut expression);
        Self {
            expression,
            quick,
            names,
        }
    }

    /// Whether it holds; an answer that is not there is null, and what cannot be computed does not
    /// hold.
    pub(crate) fn holds<'a>(&self, answer: &dyn Fn(usize) -> Option<&'a Answer>) -> bool {
        match &self.quick {
            Some(quick) => quick.holds(answer),
            None => self.interpret(answer),
        }
    }

    fn interpret<'a>(&self, answer: &dyn Fn(usize) -> Option<&'a Answer>) -> bool {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, question) in &self.names {
            let value = answer(*question).map_or(Value::Null, Answer::to_cel);
            context.add_variable_from_value(name.as_str(), value);
        }
        matches!(
            Value::resolve(&self.expression, &context),
            Ok(Value::Bool(true))
        )
    }
}

/// Parses an expression; the place of what is wrong is in bytes of `text`.
pub(crate) fn parse(text: &str) -> Result<cel::Program, Vec<(usize, String)>> {
    ENVIRONMENT.compile(text).map_err(|errors| {
        let place = |(line, column): (isize, isize)| {
            let line = usize::try_from(line - 1).unwrap_or(0);
            let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
            let rest = text.get(start..).unwrap_or("");
            let column = usize::try_from(column).unwrap_or(0).saturating_sub(1);
            start
                + rest
                    .char_indices()
                    .nth(column)
                    .map_or(rest.len(), |(at, _)| at)
        };
        errors
            .errors
            .iter()
            .map(|error| (place(error.pos), error.msg.clone()))
            .collect()
    })
}

/// Makes `has(name)` a comparison with null.
fn rewrite(expression: &mut IdedExpr) {
    match &mut expression.expr {
        Expr::Call(call) => {
            if let Some(target) = &mut call.target {
                rewrite(target);
            }
            for argument in &mut call.args {
                rewrite(argument);
            }
            if call.func_name == "has" && call.target.is_none() && call.args.len() == 1 {
                operators::NOT_EQUALS.clone_into(&mut call.func_name);
                call.args.push(IdedExpr {
                    id: expression.id,
                    expr: Expr::Literal(LiteralValue::Null),
                });
            }
        }
        Expr::List(list) => list.elements.iter_mut().for_each(rewrite),
        _ => {}
    }
}

/// The parts of a call, its target first.
fn operands(call: &CallExpr) -> impl Iterator<Item = &IdedExpr> {
    call.target.as_deref().into_iter().chain(&call.args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_missing_is_null() {
        let condition = |text: &str| {
            let program = parse(text).expect("a good expression");
            Condition::new(program.expression().clone(), vec![("a".to_owned(), 0)])
        };
        let text = |value: &str| Some(Answer::Text(value.to_owned()));
        let holds = |expression: &str, answer: Option<Answer>| {
            let condition = condition(expression);
            let found = condition.holds(&|_| answer.as_ref());
            // The short way and the interpreter are of one mind.
            assert_eq!(
                found,
                condition.interpret(&|_| answer.as_ref()),
                "{expression}"
            );
            found
        };
        let both = r#"has(a) && a.contains("ổ gà")"#;
        assert!(holds(both, text("có ổ gà")));
        assert!(!holds(both, text("không")));
        assert!(!holds(both, None));
        assert!(holds("a > 10", Some(Answer::Number(10.5))));
        assert!(holds("a == 10", Some(Answer::Number(10.0))));
        assert!(!holds("a > 10", None));
        assert!(holds("!has(a)", Some(Answer::Skipped)));
        assert!(holds(
            r#""x" in a"#,
            Some(Answer::Choices(vec!["x".to_owned()]))
        ));
        assert!(holds(r#"a == "x" || a == "y""#, text("y")));
        for (expression, x, y, none) in [
            (r#"a == "x""#, true, false, false),
            (r#"a != "x""#, false, true, true),
            (r#""x" == a"#, true, false, false),
            (r#"a in ["x", "z"]"#, true, false, false),
            (r#"!(has(a) && a == "x")"#, false, true, true),
            (r#"!(a in ["x"]) || has(a)"#, true, true, true),
            ("!has(a)", false, false, true),
        ] {
            assert_eq!(holds(expression, text("x")), x, "{expression}");
            assert_eq!(holds(expression, text("y")), y, "{expression}");
            assert_eq!(holds(expression, None), none, "{expression}");
            assert_eq!(
                holds(expression, Some(Answer::Skipped)),
                none,
                "{expression}"
            );
        }
    }
}
