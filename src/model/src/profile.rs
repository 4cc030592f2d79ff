//! What a messenger tells of a citizen, where it tells anything.

/// What a messenger tells of a citizen. Best effort: everything can be missing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The name they use there.
    pub name: Option<String>,
    /// Their language as a BCP 47 tag (`vi`, `en-US`).
    pub language: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Profile")
            .field("name", &self.name.as_ref().map(|_| "…"))
            .field("language", &self.language)
            .finish()
    }
}
