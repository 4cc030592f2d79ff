//! Frames: a header of 16 octets and a body (SMPP 3.4, 3.2).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::{Command, Status};

/// The header's length in octets.
const HEADER: usize = 16;
/// The longest frame that is taken: `message_payload` can hold 65,535 octets, the rest is header,
/// addresses and other parameters.
pub(crate) const LONGEST: usize = 70_000;

/// One operation as it lies on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What it is.
    pub(crate) command: Command,
    /// How it went, in answers; 0 in requests.
    pub(crate) status: Status,
    /// An answer has that of its request.
    pub(crate) sequence: u32,
    /// Everything after the header.
    pub(crate) body: Bytes,
}

impl Frame {
    /// A request.
    pub(crate) fn request(command: Command, sequence: u32, body: Bytes) -> Self {
        Self {
            command,
            status: Status::OK,
            sequence,
            body,
        }
    }

    /// The answer to a request, with the body that the standard wants in it.
    pub(crate) fn answer(&self, status: Status) -> Self {
        // An answer to a message names it: with us, by nothing.
        let body: &'static [u8] = match self.command {
            Command::DELIVER_SM | Command::DATA_SM => b"\0",
            _ => b"",
        };
        Self {
            command: self.command.answer(),
            status,
            sequence: self.sequence,
            body: Bytes::from_static(body),
        }
    }

    /// Says that a request cannot be understood at all.
    pub(crate) fn refusal(&self, status: Status) -> Self {
        Self {
            command: Command::GENERIC_NACK,
            status,
            sequence: self.sequence,
            body: Bytes::new(),
        }
    }

    /// Appends it to what is to be written.
    pub(crate) fn write(&self, output: &mut BytesMut) {
        let length = HEADER + self.body.len();
        output.reserve(length);
        output.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        output.put_u32(self.command.0);
        output.put_u32(self.status.0);
        output.put_u32(self.sequence);
        output.extend_from_slice(&self.body);
    }
}

/// Why no further frame can be found on a link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// Where the next frame begins cannot be known.
    #[error("a frame says that it is {0} octets long")]
    Length(u32),
    /// The link broke.
    #[error("the link broke ({})", .0.kind())]
    Broken(#[from] std::io::Error),
}

/// Finds frames in what comes in.
#[derive(Debug, Default)]
pub(crate) struct FrameCodec;

impl Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(head) = input.first_chunk::<4>() else {
            return Ok(None);
        };
        let told = u32::from_be_bytes(*head);
        let length = usize::try_from(told)
            .ok()
            .filter(|length| (HEADER..=LONGEST).contains(length))
            .ok_or(FrameError::Length(told))?;
        if input.len() < length {
            input.reserve(length - input.len());
            return Ok(None);
        }
        let mut frame = input.split_to(length).freeze();
        frame.advance(4);
        Ok(Some(Frame {
            command: Command(frame.get_u32()),
            status: Status(frame.get_u32()),
            sequence: frame.get_u32(),
            body: frame,
        }))
    }
}
