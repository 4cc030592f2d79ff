//! Checks JSON against a JSON Schema: the part of draft 2020-12 that our published schemas use.
//!
//! A keyword that is not known here is an error, so that a schema cannot promise what is not checked.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Words that say something to people, or that other words check.
const ANNOTATIONS: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "format"];

/// A schema, read once.
#[derive(Debug)]
pub struct Schema {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Panics
    /// When it is no JSON object, or a pattern in it is no regular expression.
    pub fn new(text: &str) -> Self {
        let root: Value = serde_json::from_str(text).expect("the schema is JSON");
        assert!(root.is_object(), "the schema is an object");
        let mut patterns = BTreeMap::new();
        collect_patterns(&root, &mut patterns);
        Self { root, patterns }
    }

    /// Everything in `value` that the schema does not allow, each with the place where it is. Values
    /// are not quoted: they are citizens' words.
    pub fn findings(&self, value: &Value) -> Vec<String> {
        let mut findings = Vec::new();
        self.check(&self.root, value, "$", &mut findings);
        findings
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, findings: &mut Vec<String>) {
        let schema = schema.as_object().expect("a schema is an object");
        for (keyword, argument) in schema {
            if ANNOTATIONS.contains(&keyword.as_str()) {
                continue;
            }
            let good = match keyword.as_str() {
                "type" => texts(argument).any(|name| has_type(value, name)),
                "const" => value == argument,
                "enum" => argument.as_array().expect("a list").contains(value),
                "pattern" => value
                    .as_str()
                    .is_none_or(|text| self.matches(argument, text)),
                "minLength" => value.as_str().is_none_or(|text| {
                    text.chars().count() as u64 >= argument.as_u64().expect("a length")
                }),
                "minimum" => value
                    .as_f64()
                    .is_none_or(|number| number >= argument.as_f64().expect("a number")),
                "required" => {
                    require(argument, value, place, findings);
                    true
                }
                "properties" => {
                    self.check_properties(argument, value, place, findings);
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(argument, item, &format!("{place}[{index}]"), findings);
                    }
                    true
                }
                "$ref" => {
                    let pointer = argument.as_str().and_then(|text| text.strip_prefix('#'));
                    let target = pointer.and_then(|pointer| self.root.pointer(pointer));
                    self.check(
                        target.expect("the reference leads somewhere"),
                        value,
                        place,
                        findings,
                    );
                    true
                }
                unknown => panic!("the schema uses `{unknown}`, which is not checked here"),
            };
            if !good {
                findings.push(format!("{place}: against `{keyword}`"));
            }
        }
    }

    fn check_properties(
        &self,
        properties: &Value,
        value: &Value,
        place: &str,
        findings: &mut Vec<String>,
    ) {
        let known = properties.as_object().expect("an object");
        for (name, item) in value.as_object().into_iter().flatten() {
            match known.get(name) {
                Some(schema) => self.check(schema, item, &format!("{place}.{name}"), findings),
                // Allowed by the schema, and yet: what we send, we publish.
                None => findings.push(format!("{place}.{name}: not in the schema")),
            }
        }
    }

    fn matches(&self, pattern: &Value, text: &str) -> bool {
        self.patterns[pattern.as_str().expect("a pattern")].is_match(text)
    }
}

fn collect_patterns(schema: &Value, patterns: &mut BTreeMap<String, Regex>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(pattern)) = members.get("pattern") {
                patterns.insert(
                    pattern.clone(),
                    Regex::new(pattern).expect("a regular expression"),
                );
            }
            members
                .values()
                .for_each(|member| collect_patterns(member, patterns));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_patterns(item, patterns)),
        _ => {}
    }
}

fn require(names: &Value, value: &Value, place: &str, findings: &mut Vec<String>) {
    let Some(object): Option<&Map<_, _>> = value.as_object() else {
        return;
    };
    let missing = texts(names).filter(|name| !object.contains_key(*name));
    findings.extend(missing.map(|name| format!("{place}: no `{name}`")));
}

/// A text, or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    list.iter().map(|text| text.as_str().expect("a text"))
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("`{unknown}` is no type"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_schema_forbids_is_found_where_it_is() {
        let schema = Schema::new(
            r##"{"type": "object", "required": ["a"], "properties": {
                "a": {"type": ["integer", "null"], "minimum": 1},
                "list": {"type": "array", "items": {"$ref": "#/$defs/word"}}},
                "$defs": {"word": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2}}}"##,
        );
        assert_eq!(
            schema.findings(&json!({"a": 1, "list": ["ab"]})),
            Vec::<String>::new()
        );
        assert_eq!(schema.findings(&json!({"a": null})), Vec::<String>::new());
        for (value, finding) in [
            (json!([]), "$: against `type`"),
            (json!({}), "$: no `a`"),
            (json!({"a": 0}), "$.a: against `minimum`"),
            (json!({"a": 1.5}), "$.a: against `type`"),
            (
                json!({"a": 1, "list": ["ab", "B2"]}),
                "$.list[1]: against `pattern`",
            ),
            (
                json!({"a": 1, "list": ["a"]}),
                "$.list[0]: against `minLength`",
            ),
            (json!({"a": 1, "b": 1}), "$.b: not in the schema"),
        ] {
            assert_eq!(schema.findings(&value), [finding], "{value}");
        }
    }
}
