//! What a file is by its first bytes: a citizen's device, or an attacker, can name a file anything.

use langnghe_model::event::MediaKind;

/// What [`sniff`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// What it is to a flow.
    pub kind: MediaKind,
    /// The media type to serve it under.
    pub content_type: &'static str,
    /// The file extension, without the dot.
    pub extension: &'static str,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every arm that calls it gives an option"
)]
const fn found(
    kind: MediaKind,
    content_type: &'static str,
    extension: &'static str,
) -> Option<Sniffed> {
    Some(Sniffed {
        kind,
        content_type,
        extension,
    })
}

/// Says what a file is by its content, if it is a picture, film, recording or document that we
/// take. Whatever a browser could run (HTML, SVG, scripts) has no entry here, so it is never taken.
pub fn sniff(bytes: &[u8]) -> Option<Sniffed> {
    picture(bytes)
        .or_else(|| base_media(bytes))
        .or_else(|| matroska(bytes))
        .or_else(|| recording(bytes))
        .or_else(|| document(bytes))
}

fn picture(bytes: &[u8]) -> Option<Sniffed> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => found(MediaKind::Image, "image/jpeg", "jpg"),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            found(MediaKind::Image, "image/png", "png")
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => {
            found(MediaKind::Image, "image/gif", "gif")
        }
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => found(MediaKind::Image, "image/webp", "webp"),
        _ => None,
    }
}

/// ISO base media files (ISO/IEC 14496-12): MP4, QuickTime, 3GP, M4A, HEIC. The brand says which;
/// a general brand on a file without a picture track is a recording (what Safari records).
fn base_media(bytes: &[u8]) -> Option<Sniffed> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    match bytes.get(8..12)? {
        b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"msf1" => {
            found(MediaKind::Image, "image/heic", "heic")
        }
        b"M4A " | b"M4B " => found(MediaKind::Audio, "audio/mp4", "m4a"),
        _ if only_sound(bytes) => found(MediaKind::Audio, "audio/mp4", "m4a"),
        b"qt  " => found(MediaKind::Video, "video/quicktime", "mov"),
        brand if brand.starts_with(b"3g") => found(MediaKind::Video, "video/3gpp", "3gp"),
        b"isom" | b"iso2" | b"iso3" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1"
        | b"M4V " | b"MSNV" | b"dash" => found(MediaKind::Video, "video/mp4", "mp4"),
        _ => None,
    }
}

/// Whether the `moov` box names sound tracks and no film track.
fn only_sound(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let [a, b, c, d, name @ ..] = rest {
        let Some(kind) = name.get(..4) else {
            return false;
        };
        let short = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
        let size = match (short, rest.get(8..16)) {
            (0, _) => rest.len() as u64,
            (1, Some(long)) => long.try_into().map_or(0, u64::from_be_bytes),
            (short, _) => short,
        };
        let Ok(size) = usize::try_from(size) else {
            return false;
        };
        if size < 8 {
            return false;
        }
        if kind == b"moov" {
            let moov = &rest[..size.min(rest.len())];
            // hdlr: size, name, version and flags, predefined, then the handler's kind.
            let has = |handler: &[u8]| {
                moov.windows(16)
                    .any(|at| &at[..4] == b"hdlr" && &at[12..16] == handler)
            };
            return has(b"soun") && !has(b"vide");
        }
        let Some(next) = rest.get(size..) else {
            return false;
        };
        rest = next;
    }
    false
}

/// Matroska files are taken as WebM only: the document type stands in the first bytes, the codecs
/// (`V_…`, `A_…`) in the tracks, which browsers write before any sample.
fn matroska(bytes: &[u8]) -> Option<Sniffed> {
    if !bytes.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return None;
    }
    let head = &bytes[..bytes.len().min(16 * 1024)];
    let has = |needle: &[u8]| head.windows(needle.len()).any(|at| at == needle);
    if !has(b"webm") {
        return None;
    }
    let film = [&b"V_VP8"[..], b"V_VP9", b"V_AV1", b"V_MPEG4"]
        .into_iter()
        .any(has);
    let sound = has(b"A_OPUS") || has(b"A_VORBIS");
    if sound && !film {
        found(MediaKind::Audio, "audio/webm", "webm")
    } else {
        found(MediaKind::Video, "video/webm", "webm")
    }
}

fn recording(bytes: &[u8]) -> Option<Sniffed> {
    match bytes {
        [b'I', b'D', b'3', ..] => found(MediaKind::Audio, "audio/mpeg", "mp3"),
        [b'O', b'g', b'g', b'S', ..] => found(MediaKind::Audio, "audio/ogg", "ogg"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'A',
            b'V',
            b'E',
            ..,
        ] => found(MediaKind::Audio, "audio/wav", "wav"),
        [b'#', b'!', b'A', b'M', b'R', ..] => found(MediaKind::Audio, "audio/amr", "amr"),
        // ADTS: twelve set bits, then layer 00.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => found(MediaKind::Audio, "audio/aac", "aac"),
        // MPEG audio: eleven set bits, a known version, layer III, a known bit rate and sample rate.
        [0xff, second, third, ..]
            if second & 0xe0 == 0xe0
                && second & 0x18 != 0x08
                && second & 0x06 == 0x02
                && third & 0xf0 != 0xf0
                && third & 0x0c != 0x0c =>
        {
            found(MediaKind::Audio, "audio/mpeg", "mp3")
        }
        _ => None,
    }
}

/// PDF, and the two Office kinds that agencies' forms come in. An Office file is a ZIP whose first
/// entries name its parts; any other ZIP is not taken.
fn document(bytes: &[u8]) -> Option<Sniffed> {
    if bytes.starts_with(b"%PDF-") {
        return found(MediaKind::File, "application/pdf", "pdf");
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return None;
    }
    let head = &bytes[..bytes.len().min(64 * 1024)];
    let has = |needle: &[u8]| head.windows(needle.len()).any(|at| at == needle);
    if !has(b"[Content_Types].xml") {
        return None;
    }
    if has(b"word/") {
        let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        return found(MediaKind::File, word, "docx");
    }
    if has(b"xl/") {
        let sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        return found(MediaKind::File, sheet, "xlsx");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_type(bytes: &[u8]) -> Option<&'static str> {
        sniff(bytes).map(|sniffed| sniffed.content_type)
    }

    fn boxed(name: [u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), &name, content].concat()
    }

    fn mp4(brand: [u8; 4], handlers: &[&[u8; 4]]) -> Vec<u8> {
        let handlers: Vec<u8> = handlers
            .iter()
            .flat_map(|handler| boxed(*b"hdlr", &[&[0; 8], &handler[..], &[0; 12]].concat()))
            .collect();
        let media = boxed(*b"mdat", b"samples that say hdlr and vide by chance");
        let brand = boxed(*b"ftyp", &[brand, [0; 4]].concat());
        [brand, media, boxed(*b"moov", &handlers)].concat()
    }

    #[test]
    fn what_phones_and_browsers_make_is_known() {
        for (bytes, expected) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
            (b"GIF89a\x01\0\x01\0", "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
            (b"\0\0\0\x18ftyp3gp4\0\0\0\0", "video/3gpp"),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", "audio/mp4"),
            (b"ID3\x04\0\0\0\0\0\0", "audio/mpeg"),
            (b"\xff\xfb\x90\x64\0\0", "audio/mpeg"),
            (b"\xff\xf1\x50\x80\0\0", "audio/aac"),
            (b"OggS\0\x02", "audio/ogg"),
            (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
            (b"#!AMR\n", "audio/amr"),
            (b"%PDF-1.7\n", "application/pdf"),
        ] {
            assert_eq!(
                content_type(bytes),
                Some(expected),
                "{}",
                bytes.escape_ascii()
            );
        }
    }

    #[test]
    fn a_recording_in_a_film_container_is_a_recording() {
        assert_eq!(
            content_type(&mp4(*b"isom", &[b"vide", b"soun"])),
            Some("video/mp4")
        );
        assert_eq!(content_type(&mp4(*b"iso5", &[b"soun"])), Some("audio/mp4"));
        assert_eq!(content_type(&mp4(*b"mp42", &[])), Some("video/mp4"));
        let webm = |codecs: &str| format!("\u{1a}Eß£ webm {codecs}").into_bytes();
        assert_eq!(
            content_type(&webm("A_OPUS")),
            None,
            "the first four bytes decide"
        );
        let head = &b"\x1a\x45\xdf\xa3\x42\x82\x84webm"[..];
        assert_eq!(
            content_type(&[head, b"A_OPUS"].concat()),
            Some("audio/webm")
        );
        assert_eq!(
            content_type(&[head, b"V_VP9 A_OPUS"].concat()),
            Some("video/webm")
        );
        assert_eq!(content_type(b"\x1a\x45\xdf\xa3\x42\x82\x88matroska"), None);
    }

    #[test]
    fn what_a_browser_could_run_is_not_taken() {
        for bytes in [
            &b"<!DOCTYPE html><script>alert(1)</script>"[..],
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
            b"<?xml version=\"1.0\"?><svg/>",
            b"\xef\xbb\xbf<html>",
            b"MZ\x90\0",
            b"\x7fELF",
            b"#!/bin/sh\n",
            b"PK\x03\x04\x14\0\0\0\x08\0 something.exe",
            b"\xff\xfe<\0h\0t\0m\0l\0",
            b"",
            b"\xff",
            b"\xff\xff\xff\xff",
        ] {
            assert_eq!(sniff(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn office_files_are_told_from_other_archives() {
        let office = |part: &[u8]| [b"PK\x03\x04\x14\0[Content_Types].xml ", part].concat();
        let extension = |bytes: &[u8]| sniff(bytes).map(|sniffed| sniffed.extension);
        assert_eq!(extension(&office(b"word/document.xml")), Some("docx"));
        assert_eq!(extension(&office(b"xl/workbook.xml")), Some("xlsx"));
        assert_eq!(extension(&office(b"ppt/slides")), None);
    }

    #[test]
    fn a_file_cut_anywhere_does_no_harm() {
        let film = mp4(*b"isom", &[b"soun"]);
        for end in 0..film.len() {
            let _cut: Option<Sniffed> = sniff(&film[..end]);
        }
        let huge = [
            &boxed(*b"ftyp", b"isom\0\0\0\0")[..],
            b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        assert_eq!(content_type(&huge.concat()), Some("video/mp4"));
    }
}
