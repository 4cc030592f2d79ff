//! Where a conversation stands.

/// Where a conversation stands: the flow, its version, the answers so far, the language.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {}

/// Why stored bytes are no session.
#[derive(Debug, thiserror::Error)]
#[error("not a session of a known version: {0}")]
pub struct SessionError(pub String);

impl Session {
    /// Reads what [`Self::encode`] of this or an earlier version of the program wrote.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SessionError> {
        let _unused: &[u8] = bytes;
        Ok(Self::default())
    }

    /// The session as bytes, compact and versioned.
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
}
