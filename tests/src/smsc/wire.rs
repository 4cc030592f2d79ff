//! Operations of SMPP as the stand-in reads and writes them: by the standard's tables, strictly, and
//! with nothing of the connector's.

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its number.
    pub command: u32,
    /// How it went.
    pub status: u32,
    /// Names it among those of one side.
    pub sequence: u32,
    /// What follows the header.
    pub body: Vec<u8>,
}

impl Operation {
    /// Writes it down.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(16 + self.body.len()).expect("short");
        let head = [length, self.command, self.status, self.sequence];
        let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Takes the first whole one off what came in.
    ///
    /// # Errors
    /// A length that none has.
    pub fn take(input: &mut Vec<u8>, from: &mut usize) -> Result<Option<Self>, String> {
        let rest = &input[*from..];
        let word = |place: usize| {
            let octets = rest.get(place..place + 4)?;
            Some(u32::from_be_bytes(octets.try_into().ok()?))
        };
        let Some(length) = word(0) else {
            return Ok(None);
        };
        if !(16..=70_000).contains(&length) {
            return Err(format!("an operation of {length} octets"));
        }
        let length = length as usize;
        if rest.len() < length {
            return Ok(None);
        }
        let operation = Self {
            command: word(4).expect("there"),
            status: word(8).expect("there"),
            sequence: word(12).expect("there"),
            body: rest[16..length].to_vec(),
        };
        *from += length;
        if *from > 64 * 1024 || *from == input.len() {
            input.drain(..*from);
            *from = 0;
        }
        Ok(Some(operation))
    }
}

/// Reads a body field by field; what does not fit is an error.
pub(super) struct Body<'a>(pub(super) &'a [u8]);

impl<'a> Body<'a> {
    pub(super) fn octet(&mut self, name: &str) -> Result<u8, String> {
        let (first, rest) = self.0.split_first().ok_or(format!("no {name}"))?;
        self.0 = rest;
        Ok(*first)
    }

    /// A text with its NUL, at most `longest` octets with it.
    pub(super) fn text(&mut self, name: &str, longest: usize) -> Result<&'a str, String> {
        let end = self.0.iter().position(|octet| *octet == 0);
        let end = end.filter(|end| *end < longest);
        let end = end.ok_or(format!("{name} does not end within {longest}"))?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        let text = std::str::from_utf8(text).map_err(|_| format!("{name} is no text"))?;
        text.is_ascii()
            .then_some(text)
            .ok_or(format!("{name} is not ASCII"))
    }

    pub(super) fn octets(&mut self, name: &str, length: usize) -> Result<&'a [u8], String> {
        if self.0.len() < length {
            return Err(format!("{name} is cut"));
        }
        let (octets, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(octets)
    }

    pub(super) fn parameters(mut self) -> Result<Vec<(u16, Vec<u8>)>, String> {
        let mut found = Vec::new();
        while !self.0.is_empty() {
            let head = self.octets("an optional parameter", 4)?;
            let tag = u16::from_be_bytes([head[0], head[1]]);
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            found.push((tag, self.octets("an optional parameter", length)?.to_vec()));
        }
        Ok(found)
    }
}

/// A `submit_sm` that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// The id that it was given.
    pub id: String,
    /// On which link it came.
    pub link: usize,
    /// From whom: kind of number, plan, digits or letters.
    pub source: (u8, u8, String),
    /// To whom.
    pub destination: (u8, u8, String),
    /// Flags of the text.
    pub esm_class: u8,
    /// Whether receipts are asked for.
    pub registered_delivery: u8,
    /// How the text is written.
    pub data_coding: u8,
    /// Header and text.
    pub octets: Vec<u8>,
    /// Optional parameters.
    pub parameters: Vec<(u16, Vec<u8>)>,
}

impl Submitted {
    /// Reads a body, by the letter of the standard.
    ///
    /// # Errors
    /// What a message centre would refuse.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let mut body = Body(body);
        body.text("service_type", 6)?;
        let source = address(&mut body, "source")?;
        let destination = address(&mut body, "destination")?;
        let esm_class = body.octet("esm_class")?;
        body.octet("protocol_id")?;
        body.octet("priority_flag")?;
        for name in ["schedule_delivery_time", "validity_period"] {
            let time = body.text(name, 17)?;
            if ![0, 16].contains(&time.len()) {
                return Err(format!("{name} has {} characters", time.len()));
            }
        }
        let registered_delivery = body.octet("registered_delivery")?;
        body.octet("replace_if_present_flag")?;
        let data_coding = body.octet("data_coding")?;
        body.octet("sm_default_msg_id")?;
        let length = usize::from(body.octet("sm_length")?);
        if length > 254 {
            return Err("sm_length is 255".to_owned());
        }
        let octets = body.octets("short_message", length)?.to_vec();
        let message = Self {
            source,
            destination,
            esm_class,
            registered_delivery,
            data_coding,
            octets,
            parameters: body.parameters()?,
            ..Self::default()
        };
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), String> {
        let (ton, npi, digits) = &self.destination;
        let number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        if !number || (*ton, *npi) != (1, 1) {
            return Err("the destination is no international number".to_owned());
        }
        if self.source.0 == 5 && self.source.2.len() > 11 {
            return Err("a name has at most 11 characters".to_owned());
        }
        if ![0, 0x40].contains(&self.esm_class) {
            return Err(format!("esm_class {:#x}", self.esm_class));
        }
        let payload = self.parameter(0x0424);
        if payload.is_some() && !self.octets.is_empty() {
            return Err("a text and a payload".to_owned());
        }
        let (header, text) = self.text_octets();
        let fits = match self.data_coding {
            0 => {
                if text.iter().any(|octet| *octet > 127) {
                    return Err("an octet that is no septet".to_owned());
                }
                (header * 8).div_ceil(7) + text.len() <= 160
            }
            8 => text.len() % 2 == 0 && header + text.len() <= 140,
            other => return Err(format!("data_coding {other}")),
        };
        if !fits && payload.is_none() {
            return Err(format!("{header} and {} octets are no part", text.len()));
        }
        if self.esm_class == 0x40 && self.join().is_none() {
            return Err("a header that joins nothing".to_owned());
        }
        Ok(())
    }

    /// The value of an optional parameter.
    pub fn parameter(&self, tag: u16) -> Option<&[u8]> {
        let found = self.parameters.iter().find(|(other, _)| *other == tag);
        found.map(|(_, value)| value.as_slice())
    }

    /// How long the header is, and the octets of the text.
    pub fn text_octets(&self) -> (usize, &[u8]) {
        let octets = self.parameter(0x0424).unwrap_or(&self.octets);
        if self.esm_class & 0x40 == 0 || octets.is_empty() {
            return (0, octets);
        }
        let header = (usize::from(octets[0]) + 1).min(octets.len());
        (header, &octets[header..])
    }

    /// Reference, total and number, if it is a part.
    pub fn join(&self) -> Option<(u16, u8, u8)> {
        if self.esm_class & 0x40 != 0 {
            return match self.octets.as_slice() {
                [5, 0, 3, reference, total, number, ..] => {
                    Some((u16::from(*reference), *total, *number))
                }
                [6, 8, 4, high, low, total, number, ..] => {
                    Some((u16::from_be_bytes([*high, *low]), *total, *number))
                }
                _ => None,
            }
            .filter(|(_, total, number)| *total > 1 && (1..=*total).contains(number));
        }
        let reference: [u8; 2] = self.parameter(0x020c)?.try_into().ok()?;
        let [total] = self.parameter(0x020e)?.try_into().ok()?;
        let [number] = self.parameter(0x020f)?.try_into().ok()?;
        Some((u16::from_be_bytes(reference), total, number))
    }

    /// What a phone shows of it.
    pub fn text(&self) -> String {
        let (_, octets) = self.text_octets();
        if self.data_coding == 8 {
            let units = octets
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            return String::from_utf16_lossy(&units.collect::<Vec<_>>());
        }
        // What these tests send of GSM's alphabet beside ASCII.
        let known = [(0x00, '@'), (0x02, '$'), (0x11, '_'), (0x0a, '\n')];
        let character = |octet: &u8| {
            let known = known.iter().find(|(code, _)| code == octet);
            known.map_or(char::from(*octet), |(_, character)| *character)
        };
        octets.iter().map(character).collect()
    }
}

fn address(body: &mut Body<'_>, name: &str) -> Result<(u8, u8, String), String> {
    let kind = (body.octet(name)?, body.octet(name)?);
    Ok((kind.0, kind.1, body.text(name, 21)?.to_owned()))
}

/// A `deliver_sm` to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliver {
    /// From which number.
    pub source: String,
    /// To which.
    pub destination: String,
    /// Flags of the text.
    pub esm_class: u8,
    /// How the text is written.
    pub data_coding: u8,
    /// Header and text.
    pub octets: Vec<u8>,
    /// Optional parameters.
    pub parameters: Vec<(u16, Vec<u8>)>,
}

impl Deliver {
    /// A text of a citizen: ASCII as it is, anything else in UCS-2.
    pub fn text(source: &str, destination: &str, text: &str) -> Self {
        let (data_coding, octets) = written(text);
        Self {
            source: source.to_owned(),
            destination: destination.to_owned(),
            data_coding,
            octets,
            ..Self::default()
        }
    }

    /// The same as one of several parts, joined by a reference of eight bits.
    #[must_use]
    pub fn part(mut self, reference: u8, total: u8, number: u8) -> Self {
        let mut octets = vec![5, 0, 3, reference, total, number];
        octets.append(&mut self.octets);
        self.octets = octets;
        self.esm_class |= 0x40;
        self
    }

    /// The same, joined by a reference of sixteen bits.
    #[must_use]
    pub fn wide_part(mut self, reference: u16, total: u8, number: u8) -> Self {
        let [high, low] = reference.to_be_bytes();
        let mut octets = vec![6, 8, 4, high, low, total, number];
        octets.append(&mut self.octets);
        self.octets = octets;
        self.esm_class |= 0x40;
        self
    }

    /// The same, joined by optional parameters.
    #[must_use]
    pub fn sar_part(mut self, reference: u16, total: u8, number: u8) -> Self {
        self.parameters
            .push((0x020c, reference.to_be_bytes().to_vec()));
        self.parameters.push((0x020e, vec![total]));
        self.parameters.push((0x020f, vec![number]));
        self
    }

    /// The same with its text as payload.
    #[must_use]
    pub fn with_payload(mut self) -> Self {
        let octets = std::mem::take(&mut self.octets);
        self.parameters.push((0x0424, octets));
        self
    }

    /// A receipt.
    pub fn receipt(source: &str, destination: &str, text: &str) -> Self {
        Self {
            esm_class: 0x04,
            ..Self::text(source, destination, text)
        }
    }

    /// The body, by the standard.
    pub fn body(&self) -> Vec<u8> {
        let mut body = vec![0, 1, 1];
        body.extend_from_slice(self.source.as_bytes());
        body.extend_from_slice(&[0, 0, 0]);
        body.extend_from_slice(self.destination.as_bytes());
        body.extend_from_slice(&[0, self.esm_class, 0, 0, 0, 0, 0, 0, self.data_coding, 0]);
        body.push(u8::try_from(self.octets.len()).expect("at most 255"));
        body.extend_from_slice(&self.octets);
        for (tag, value) in &self.parameters {
            body.extend_from_slice(&tag.to_be_bytes());
            let length = u16::try_from(value.len()).expect("short");
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(value);
        }
        body
    }
}

/// `data_coding` and octets of a text.
pub fn written(text: &str) -> (u8, Vec<u8>) {
    if text.is_ascii()
        && !text.contains(['@', '$', '_', '`', '[', ']', '{', '}', '\\', '^', '~', '|'])
    {
        return (0, text.as_bytes().to_vec());
    }
    (8, text.encode_utf16().flat_map(u16::to_be_bytes).collect())
}
