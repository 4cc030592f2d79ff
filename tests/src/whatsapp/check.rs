//! What the Cloud API takes, and nothing else: unknown fields, wrong lengths and wrong combinations are
//! told.

use serde::Deserialize;
use serde_json::Value;

/// A request that holds to all rules.
#[derive(Debug)]
pub(super) enum Checked {
    /// A message.
    Message(Message),
    /// A message of this citizen's was read.
    Read(String),
}

/// A message that holds to all rules.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) recipient: String,
    pub(super) own_id: String,
    pub(super) kind: String,
    pub(super) text: String,
    pub(super) choices: Vec<(String, String)>,
    /// Which template, where it is one.
    pub(super) template: Option<Form>,
}

/// A template as a message names it.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) name: String,
    pub(super) language: String,
    /// The names of the gaps that it fills.
    pub(super) gaps: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    messaging_product: String,
    recipient_type: Option<String>,
    to: Option<String>,
    recipient: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<Text>,
    interactive: Option<Interactive>,
    image: Option<Media>,
    video: Option<Media>,
    audio: Option<Media>,
    document: Option<Media>,
    template: Option<Template>,
    biz_opaque_callback_data: Option<String>,
    status: Option<String>,
    message_id: Option<String>,
    typing_indicator: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    body: String,
    #[serde(rename = "preview_url")]
    _preview_url: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interactive {
    #[serde(rename = "type")]
    kind: String,
    body: Words,
    action: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    name: Option<String>,
    buttons: Option<Vec<Button>>,
    button: Option<String>,
    sections: Option<Vec<Section>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    #[serde(rename = "type")]
    kind: String,
    reply: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Media {
    link: String,
    caption: Option<String>,
    #[serde(rename = "filename")]
    _filename: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    language: Language,
    #[serde(default)]
    components: Vec<Component>,
}

impl Template {
    fn gaps(&self) -> Vec<String> {
        let parameters = self
            .components
            .iter()
            .flat_map(|component| &component.parameters);
        parameters
            .map(|parameter| parameter.gap.clone().unwrap_or_default())
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameter {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "parameter_name")]
    gap: Option<String>,
    text: String,
}

type Check<T> = Result<T, String>;

/// Checks the body of a request to `messages`.
pub(super) fn request(body: &[u8]) -> Check<Checked> {
    let request: Request = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    rule(request.messaging_product == "whatsapp", "messaging_product")?;
    if let Some(status) = &request.status {
        rule(status == "read", "a status that is not `read`")?;
        rule(
            request.typing_indicator == Some(serde_json::json!({ "type": "text" })),
            "typing_indicator",
        )?;
        rule(request.kind.is_none(), "a message beside `read`")?;
        let id = request.message_id.ok_or("read, but which")?;
        return Ok(Checked::Read(id));
    }
    rule(
        request.recipient_type.as_deref() == Some("individual"),
        "recipient_type",
    )?;
    let recipient = match (&request.to, &request.recipient) {
        (Some(to), None) => phone(to)?,
        (None, Some(id)) => user_id(id)?,
        _ => return Err("to and recipient exclude each other, and one is needed".to_owned()),
    };
    let own_id = request.biz_opaque_callback_data.clone();
    let own_id = own_id.ok_or("we always attach our id")?;
    length("biz_opaque_callback_data", &own_id, 512)?;
    let kind = request.kind.clone().ok_or("no type")?;
    let form = request.template.as_ref().map(|template| Form {
        name: template.name.clone(),
        language: template.language.code.clone(),
        gaps: template.gaps(),
    });
    let (kind, text, choices) = content(request, kind)?;
    Ok(Checked::Message(Message {
        recipient,
        own_id,
        template: form,
        kind,
        text,
        choices,
    }))
}

type Content = (String, String, Vec<(String, String)>);

fn content(request: Request, kind: String) -> Check<Content> {
    let parts = [
        request.text.is_some(),
        request.interactive.is_some(),
        request.image.is_some(),
        request.video.is_some(),
        request.audio.is_some(),
        request.document.is_some(),
        request.template.is_some(),
    ];
    rule(
        parts.iter().filter(|there| **there).count() == 1,
        "exactly one content",
    )?;
    let media = |media: Option<Media>, captioned: bool| -> Check<Content> {
        let media = media.ok_or("the content is not of the type")?;
        let absolute = media.link.starts_with("http://") || media.link.starts_with("https://");
        rule(absolute, "the link of media is not absolute")?;
        let caption = media.caption.unwrap_or_default();
        rule(
            captioned || caption.is_empty(),
            "a recording with a caption",
        )?;
        rule(
            caption.chars().count() <= 1024,
            "a caption that is too long",
        )?;
        Ok((kind.clone(), caption, Vec::new()))
    };
    match &*kind {
        "text" => {
            let text = request.text.ok_or("the content is not of the type")?;
            length("text", &text.body, 4096)?;
            Ok((kind, text.body, Vec::new()))
        }
        "image" => media(request.image, true),
        "video" => media(request.video, true),
        "audio" => media(request.audio, false),
        "document" => media(request.document, true),
        "template" => template(request.template.ok_or("the content is not of the type")?),
        "interactive" => interactive(
            request
                .interactive
                .ok_or("the content is not of the type")?,
        ),
        _ => Err("a type that is none of WhatsApp's".to_owned()),
    }
}

fn interactive(interactive: Interactive) -> Check<Content> {
    let Interactive { kind, body, action } = interactive;
    length("body", &body.text, 1024)?;
    let choices = match (&*kind, action) {
        (
            "button",
            Action {
                buttons: Some(buttons),
                name: None,
                button: None,
                sections: None,
            },
        ) => {
            rule((1..=3).contains(&buttons.len()), "buttons: 1 to 3")?;
            let replies = buttons.iter().all(|button| button.kind == "reply");
            rule(replies, "a button of another kind")?;
            let rows: Vec<Row> = buttons.into_iter().map(|button| button.reply).collect();
            let plain = rows.iter().all(|row| row.description.is_none());
            rule(plain, "a button with a description")?;
            rows_within(rows, 20, 256)?
        }
        (
            "list",
            Action {
                button: Some(button),
                sections: Some(sections),
                name: None,
                buttons: None,
            },
        ) => {
            length("the list's button", &button, 20)?;
            rule(sections.len() == 1, "we have one section")?;
            let rows: Vec<Row> = sections
                .into_iter()
                .flat_map(|section| section.rows)
                .collect();
            rule((1..=10).contains(&rows.len()), "rows: 1 to 10")?;
            for row in &rows {
                if let Some(description) = &row.description {
                    length("description", description, 72)?;
                }
            }
            rows_within(rows, 24, 200)?
        }
        ("location_request_message", action) => {
            let good = action.name.as_deref() == Some("send_location");
            rule(good && action.buttons.is_none(), "send_location alone")?;
            Vec::new()
        }
        ("request_contact_info", action) => {
            let good = action.name.as_deref() == Some("request_contact_info");
            rule(
                good && action.buttons.is_none(),
                "request_contact_info alone",
            )?;
            Vec::new()
        }
        _ => return Err("an interactive message of no known form".to_owned()),
    };
    Ok((kind, body.text, choices))
}

fn rows_within(rows: Vec<Row>, title: usize, id: usize) -> Check<Vec<(String, String)>> {
    let mut choices: Vec<(String, String)> = Vec::new();
    for row in rows {
        length("title", &row.title, title)?;
        length("id", &row.id, id)?;
        let known = choices
            .iter()
            .any(|(title, id)| *title == row.title || *id == row.id);
        rule(!known, "a title or id twice")?;
        choices.push((row.title, row.id));
    }
    Ok(choices)
}

fn template(template: Template) -> Check<Content> {
    length("name", &template.name, 512)?;
    length("language", &template.language.code, 10)?;
    let mut lines = vec![template.name];
    for component in template.components {
        rule(component.kind == "body", "a component of another kind")?;
        for parameter in component.parameters {
            rule(parameter.kind == "text", "a parameter of another kind")?;
            length("parameter", &parameter.text, 1024)?;
            let one_line =
                !parameter.text.contains(['\n', '\t']) && !parameter.text.contains("     ");
            rule(
                one_line,
                "132018: line breaks or many spaces in a parameter",
            )?;
            lines.push(parameter.text);
        }
    }
    Ok(("template".to_owned(), lines.join("\n"), Vec::new()))
}

fn phone(to: &str) -> Check<String> {
    let digits = to.strip_prefix('+').unwrap_or(to);
    let good = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    rule(good, "131009: `to` is no phone number")?;
    Ok(digits.to_owned())
}

fn user_id(id: &str) -> Check<String> {
    let (country, rest) = id.split_once('.').ok_or("`recipient` is no user id")?;
    let good = country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=132).contains(&rest.len());
    rule(good, "131009: `recipient` is no user id")?;
    Ok(id.to_owned())
}

fn rule(holds: bool, rule: &str) -> Check<()> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn length(what: &str, text: &str, max: usize) -> Check<()> {
    let count = text.chars().count();
    let good = count <= max && !text.trim().is_empty();
    rule(
        good,
        &format!("{what} has {count} characters, 1 to {max} are taken"),
    )
}
