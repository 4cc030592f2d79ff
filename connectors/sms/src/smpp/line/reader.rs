//! What comes in on a line: answers to what we asked, messages, questions whether we are there.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_util::codec::Decoder;

use super::Line;
use crate::smpp::wire::{Command, Frame, FrameCodec, FrameError, Status};

/// Whoever does not hear for so long that a queue has room says "try again".
const ROOM: Duration = Duration::from_millis(50);

/// A message or a receipt that came in, and on which line it is to be answered.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A `deliver_sm` or a `data_sm`.
    Message(Arc<Line>, Frame),
    /// No further one comes on this line.
    Ended(u64),
}

/// Why a line is read no further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// The other side took leave.
    #[error("the message centre took leave")]
    Unbound,
    /// The other side closed the connection.
    #[error("the message centre closed the connection")]
    Closed,
    /// No further frame can be found.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It does not answer.
    #[error("the message centre does not answer")]
    Silent,
    /// It could not be written to.
    #[error("nothing can be written any more")]
    Unwritable,
    /// Our time is over.
    #[error("over")]
    Over,
}

/// Reads one line.
pub(super) struct Reader {
    pub(super) half: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) line: Arc<Line>,
    pub(super) incoming: mpsc::Sender<Incoming>,
    /// What was read and is no whole frame yet: it outlives a [`Self::run`] that is dropped.
    pub(super) buffer: BytesMut,
    /// When something last came in.
    pub(super) heard: tokio::sync::watch::Sender<Instant>,
}

impl Reader {
    /// Reads until the line ends.
    pub(super) async fn run(&mut self) -> Ended {
        let mut codec = FrameCodec;
        loop {
            loop {
                match codec.decode(&mut self.buffer) {
                    Ok(Some(frame)) => {
                        if let Some(ended) = self.take(frame).await {
                            return ended;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return error.into(),
                }
            }
            match self.half.read_buf(&mut self.buffer).await {
                Ok(0) => return Ended::Closed,
                Ok(_) => {
                    self.heard.send_replace(Instant::now());
                }
                Err(error) => return FrameError::from(error).into(),
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Option<Ended> {
        let answer = match frame.command {
            Command::GENERIC_NACK => {
                tracing::warn!(line = self.line.number, status = %frame.status,
                    "the message centre did not understand us");
                self.line.answer(frame);
                return None;
            }
            command if command.is_answer() => {
                if !self.line.answer(frame) {
                    tracing::debug!(line = self.line.number, %command, "an answer nobody waits for");
                }
                return None;
            }
            Command::ENQUIRE_LINK => frame.answer(Status::OK),
            Command::DELIVER_SM | Command::DATA_SM => {
                let later = frame.answer(Status::TEMPORARY);
                let incoming = Incoming::Message(Arc::clone(&self.line), frame);
                match timeout(ROOM, self.incoming.send(incoming)).await {
                    Ok(Ok(())) => return None,
                    // More than can be stored comes in: it is to come again.
                    _ => later,
                }
            }
            Command::UNBIND => {
                self.line.write(&[frame.answer(Status::OK)]).await;
                return Some(Ended::Unbound);
            }
            // It asks for no answer, and none of our messages waits for it.
            Command::ALERT_NOTIFICATION | Command::OUTBIND => return None,
            command => {
                tracing::warn!(line = self.line.number, %command, "an operation that we do not have");
                frame.refusal(Status::INVALID_COMMAND)
            }
        };
        (!self.line.write(&[answer]).await).then_some(Ended::Unwritable)
    }
}
