//! What becomes of replies that fail after they were taken.

use langnghe_model::{ChannelId, CitizenId, ConversationId, Notice, Purpose, Reply, Template};
use langnghe_store::LeaseToken;

use super::*;
use crate::envelope::Origin;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000) + Duration::from_secs(seconds)
}

fn text() -> Reply {
    Reply::Text {
        text: "Đã sửa xong.".to_owned(),
    }
}

fn news() -> Envelope {
    let notice = Notice {
        reply: text(),
        purpose: Purpose::Notice,
        deadline: None,
        template: Some(Template {
            name: "status".to_owned(),
            parameters: std::collections::BTreeMap::new(),
        }),
        ticket: Some("PA-1".to_owned()),
    };
    Envelope {
        purpose: Purpose::Notice,
        origin: Some(Origin {
            id: "notice:1".to_owned(),
            ticket: notice.ticket.clone(),
            whole: Some(Box::new(notice)),
        }),
        ..Envelope::answer(text())
    }
}

fn outgoing(envelope: &Envelope, queued_at: Timestamp) -> OutboxReply {
    OutboxReply {
        id: 7,
        conversation: ConversationId::new(
            ChannelId::new("wa").expect("a good id"),
            CitizenId::new("an"),
        ),
        token: LeaseToken(1),
        lane: envelope.purpose,
        body: envelope.encode(),
        attempts: 0,
        window_until: Some(at(100)),
        queued_at,
    }
}

/// Sent at `second`, as the program would have kept it.
fn sent(envelope: &Envelope, template: bool, second: u64) -> SentReply {
    let sent = SentReply::new(envelope, &outgoing(envelope, at(0)), template, at(second));
    SentReply::decode(&sent.encode()).expect("what was kept is read")
}

fn fails(sent: &SentReply, means: LateFailure, other_channel: bool, second: u64) -> Fate {
    sent.fate(&Circumstances {
        means,
        code: "131047",
        other_channel,
        window_until: None,
        retries: &RetrySchedule::replies(),
        now: at(second),
        random: 0.5,
    })
}

fn again(fate: Fate) -> (NewReply, Setback) {
    let Fate::Again(reply) = fate else {
        panic!("it is sent again: {fate:?}");
    };
    let envelope = Envelope::decode(&reply.body).expect("it is read");
    let setback = *envelope.setback.expect("a setback");
    (reply, setback)
}

const CLOSED: LateFailure = LateFailure::WindowClosed;
const THROTTLED: LateFailure = LateFailure::Again {
    after: Some(60),
    channel: true,
};

#[test]
fn what_was_refused_counts_until_the_citizen_writes() {
    let answer = Envelope::answer(text());
    let (reply, setback) = again(fails(&sent(&answer, false, 10), CLOSED, false, 11));
    assert_eq!(
        (reply.lane, reply.window_until),
        (Purpose::Answer, Some(at(100)))
    );
    let free = Refused {
        free: true,
        ..Refused::default()
    };
    for (heard, refused) in [
        (None, free),
        (Some(at(9)), free),
        // In whole seconds: who wrote after it may seem to have written just before.
        (Some(at(10)), Refused::default()),
        (Some(at(50)), Refused::default()),
    ] {
        assert_eq!(setback.refused(heard), refused, "{heard:?}");
    }
    assert_eq!(setback.not_before, at(12));
    assert_eq!(setback.rest, None);
}

#[test]
fn a_template_that_fails_is_not_tried_again_and_the_window_stays_closed() {
    let (reply, setback) = again(fails(&sent(&news(), false, 10), CLOSED, false, 11));
    assert!(setback.refused.free && !setback.refused.template);
    // The planner sends the template.
    let envelope = Envelope::decode(&reply.body).expect("it is read");
    for means in [CLOSED, LateFailure::Never] {
        let (_, setback) = again(fails(&sent(&envelope, true, 20), means, false, 21));
        assert!(
            setback.refused.free && setback.refused.template,
            "{means:?}"
        );
        assert_eq!((setback.failures, setback.queued_at), (2, at(0)));
    }
    // Sent freely after all, as the citizen wrote: nothing that was refused before counts.
    let (_, setback) = again(fails(&sent(&envelope, false, 20), CLOSED, false, 21));
    assert!(setback.refused.free && !setback.refused.template);
}

#[test]
fn who_is_gone_is_told_elsewhere_if_they_agreed() {
    let gone = LateFailure::RecipientGone;
    let (_, setback) = again(fails(&sent(&news(), false, 10), gone, true, 11));
    assert!(setback.refused.gone);
    for (envelope, other) in [(news(), false), (Envelope::answer(text()), true)] {
        let Fate::GivenUp { reason, body, lane } =
            fails(&sent(&envelope, false, 10), gone, other, 11)
        else {
            panic!("nobody else can bring it");
        };
        let expected = "it failed after the provider took it: recipient_gone (131047)";
        assert_eq!((reason.as_str(), lane), (expected, envelope.purpose));
        assert_eq!(Envelope::decode(&body), Some(envelope));
    }
    let never = fails(&sent(&news(), false, 10), LateFailure::Never, true, 11);
    assert!(matches!(never, Fate::GivenUp { .. }));
}

#[test]
fn the_providers_troubles_are_waited_for_with_a_limit() {
    let mut envelope = Envelope::answer(text());
    let mut waits = Vec::new();
    for second in 1..99 {
        match fails(&sent(&envelope, false, second), THROTTLED, false, second) {
            Fate::Again(reply) => {
                let decoded = Envelope::decode(&reply.body).expect("it is read");
                let setback = decoded.setback.as_deref().expect("a setback");
                waits.push(setback.not_before.since(at(second)).as_secs());
                assert!(setback.rest.is_some(), "the channel rests");
                envelope = decoded;
            }
            Fate::GivenUp { .. } => break,
        }
    }
    // Never shorter than the provider asks for, and no more often than any reply is tried.
    assert_eq!(waits, [60, 60, 60, 120, 480]);
    let late = fails(
        &sent(&Envelope::answer(text()), false, 1),
        THROTTLED,
        false,
        90_000,
    );
    assert!(
        matches!(late, Fate::GivenUp { .. }),
        "nobody waits for it any more"
    );
    // Whatever the provider says, it is not sent for ever.
    let mut refusals = 0;
    let mut envelope = news();
    while let Fate::Again(reply) = fails(&sent(&envelope, false, 1), CLOSED, false, 1) {
        envelope = Envelope::decode(&reply.body).expect("it is read");
        refusals += 1;
        assert!(refusals < 99);
    }
    assert_eq!(refusals, 5);
}
