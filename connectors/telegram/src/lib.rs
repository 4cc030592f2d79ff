//! Telegram: polling and webhooks in, the Bot API out.
