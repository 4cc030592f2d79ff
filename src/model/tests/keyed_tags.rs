//! A program of its own, as the key counts for the whole process.

use langnghe_model::{ChannelId, CitizenId, ConversationId, key_tags};

#[test]
fn a_key_changes_every_tag_once_and_for_all() {
    let channel = ChannelId::new("sms").expect("a good id");
    let conversation = ConversationId::new(channel, CitizenId::new("+84912345678"));
    let guessable = conversation.tag();
    assert!(key_tags([7; 32]));
    let keyed = conversation.tag();
    assert_ne!(keyed, guessable);
    assert!(!key_tags([8; 32]));
    assert_eq!(conversation.tag(), keyed);
    assert_eq!(keyed.len(), 16);
}
