//! Zalo: Official Accounts, template messages, the Bot Platform.
