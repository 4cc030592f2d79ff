//! One Fluent file, `locales/<lang>/<name>.ftl`, lowered to templates with the places of everything.

use std::{collections::HashMap, ops::Range, sync::Arc};

use fluent_bundle::FluentResource;
use fluent_syntax::{ast, parser};
use langnghe_model::{Problem, problem::Source};
use unic_langid::LanguageIdentifier;

use super::template::{Bundle, Fluent, Template};

/// One Fluent file.
#[derive(Debug)]
pub(crate) struct LocaleFile {
    pub(crate) source: Arc<Source>,
    /// The folder's name: a BCP 47 tag.
    pub(crate) language: String,
    /// The file's name without its ending: a flow's id, or `system`.
    pub(crate) name: String,
    /// Under `message` or `message.attribute`.
    pub(crate) entries: HashMap<String, Entry>,
}

/// One text of a Fluent file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) template: Template,
    /// The variables that it uses, with their places in the file.
    pub(crate) places: Vec<(String, Range<usize>)>,
    /// Where its name stands.
    pub(crate) span: Range<usize>,
}

impl LocaleFile {
    /// Reads a file; what is wrong with it goes to `problems`, the rest is used.
    pub(crate) fn read(source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Self> {
        let path = source.path.replace('\\', "/");
        let mut steps = path.rsplit('/');
        let name = steps.next().and_then(|file| file.strip_suffix(".ftl"));
        let language = steps.next();
        let (Some(name), Some(language)) = (name, language) else {
            problems.push(
                Problem::error(
                    "locale::path",
                    "a locale file lies at `<language>/<flow>.ftl`",
                )
                .at(source, 0..0, "this file does not"),
            );
            return None;
        };
        let Ok(identifier) = language.parse::<LanguageIdentifier>() else {
            problems.push(
                Problem::error("locale::language", format!("`{language}` is no language"))
                    .at(source, 0..0, "in this folder")
                    .help("name the folder by a BCP 47 tag, for example `en` or `km`"),
            );
            return None;
        };
        let text = source.text.as_str();
        let (resource, errors) = match parser::parse_runtime(text) {
            Ok(resource) => (resource, Vec::new()),
            Err(partial) => partial,
        };
        for error in errors {
            let start = error.pos.start.min(text.len());
            problems.push(
                Problem::error("fluent::syntax", format!("this is not Fluent: {error}"))
                    .at(source, line_around(text, start), "here")
                    .help("a message is `id = text`; further lines of a text are indented"),
            );
        }
        let bundle = bundle(text, identifier);
        let mut file = Self {
            source: Arc::clone(source),
            language: language.to_owned(),
            name: name.to_owned(),
            entries: HashMap::new(),
        };
        for entry in &resource.body {
            if let ast::Entry::Message(message) = entry {
                file.message(message, &bundle, problems);
            }
        }
        Some(file)
    }

    fn message(
        &mut self,
        message: &ast::Message<&str>,
        bundle: &Arc<Bundle>,
        problems: &mut Vec<Problem>,
    ) {
        let name = message.id.name;
        if let Some(pattern) = &message.value {
            self.keep(name, name, (name, None), pattern, bundle, problems);
        }
        for attribute in &message.attributes {
            let attribute_name = attribute.id.name;
            let key = format!("{name}.{attribute_name}");
            let owner = (name, Some(attribute_name));
            self.keep(
                &key,
                attribute_name,
                owner,
                &attribute.value,
                bundle,
                problems,
            );
        }
    }

    fn keep(
        &mut self,
        key: &str,
        written: &str,
        (message, attribute): (&str, Option<&str>),
        pattern: &ast::Pattern<&str>,
        bundle: &Arc<Bundle>,
        problems: &mut Vec<Problem>,
    ) {
        let source = Arc::clone(&self.source);
        let span = place(&source.text, written);
        let mut places = Vec::new();
        variables(pattern, &source.text, &mut places);
        let template = simple(pattern).unwrap_or_else(|| {
            let mut names: Vec<String> = places.iter().map(|(name, _)| name.clone()).collect();
            names.sort();
            names.dedup();
            Template::fluent(Fluent {
                bundle: Arc::clone(bundle),
                message: message.to_owned(),
                attribute: attribute.map(str::to_owned),
                variables: names,
            })
        });
        let twice = self
            .entries
            .insert(
                key.to_owned(),
                Entry {
                    template,
                    places,
                    span: span.clone(),
                },
            )
            .is_some();
        if twice {
            problems.push(
                Problem::error("fluent::duplicate", format!("`{key}` is there twice"))
                    .at(&source, span, "the second one")
                    .help("remove one of them"),
            );
        }
    }
}

fn bundle(text: &str, language: LanguageIdentifier) -> Arc<Bundle> {
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(partial, _)| partial);
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Marks around inserted words confuse screens that do not know them, and SMS.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(Arc::new(resource));
    Arc::new(bundle)
}

/// The template of a pattern that only puts words in; `None` when it needs Fluent itself.
fn simple(pattern: &ast::Pattern<&str>) -> Option<Template> {
    let mut template = Template::default();
    for element in &pattern.elements {
        match element {
            ast::PatternElement::TextElement { value } => template.push_text((*value).to_owned()),
            ast::PatternElement::Placeable {
                expression: ast::Expression::Inline(inline),
            } => match inline {
                ast::InlineExpression::VariableReference { id } => {
                    template.push_variable(id.name);
                }
                ast::InlineExpression::StringLiteral { value } if !value.contains('\\') => {
                    template.push_text((*value).to_owned());
                }
                _ => return None,
            },
            ast::PatternElement::Placeable { .. } => return None,
        }
    }
    Some(template)
}

fn variables(pattern: &ast::Pattern<&str>, text: &str, found: &mut Vec<(String, Range<usize>)>) {
    for element in &pattern.elements {
        let ast::PatternElement::Placeable { expression } = element else {
            continue;
        };
        match expression {
            ast::Expression::Inline(inline) => inline_variables(inline, text, found),
            ast::Expression::Select { selector, variants } => {
                inline_variables(selector, text, found);
                for variant in variants {
                    variables(&variant.value, text, found);
                }
            }
        }
    }
}

fn inline_variables(
    inline: &ast::InlineExpression<&str>,
    text: &str,
    found: &mut Vec<(String, Range<usize>)>,
) {
    match inline {
        ast::InlineExpression::VariableReference { id } => {
            found.push((id.name.to_owned(), place(text, id.name)));
        }
        ast::InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                inline_variables(argument, text, found);
            }
        }
        ast::InlineExpression::Placeable { expression } => match expression.as_ref() {
            ast::Expression::Inline(inner) => inline_variables(inner, text, found),
            ast::Expression::Select { selector, variants } => {
                inline_variables(selector, text, found);
                for variant in variants {
                    variables(&variant.value, text, found);
                }
            }
        },
        _ => {}
    }
}

/// Where `piece`, a slice of `text`, lies in it.
fn place(text: &str, piece: &str) -> Range<usize> {
    let start = (piece.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    if text.get(start..start + piece.len()) == Some(piece) {
        start..start + piece.len()
    } else {
        0..0
    }
}

/// The line that holds the byte at `at`.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = bytes[..at]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |found| found + 1);
    let end = bytes[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |found| at + found);
    start..end.max(start)
}
