//! Every rule of the planner, and what holds in every situation.

mod never;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

/// 2026-11-22 at this hour and minute in Vietnam.
fn at(hour: u64, minute: u64) -> Timestamp {
    // Midnight there, seven hours before that of UTC.
    let midnight = Timestamp::from_seconds(1_795_305_600) - HOUR * 7;
    midnight + HOUR * u32::try_from(hour).expect("small") + Duration::from_mins(minute)
}

/// A window of a day, billed until seven days, and templates: no provider has all.
fn everything() -> Capabilities {
    Capabilities {
        window: Some(HOUR * 24),
        extended_window: Some(HOUR * 24 * 7),
        templates: true,
        ..Capabilities::text_only(1000)
    }
}

fn nights() -> QuietHours {
    QuietHours::new("21:00-07:00", "Asia/Ho_Chi_Minh").expect("hours")
}

/// A notice at noon to somebody who wrote an hour ago.
fn notice<'a>(capabilities: &'a Capabilities, nights: &'a QuietHours) -> Situation<'a> {
    Situation {
        now: at(12, 0),
        purpose: Purpose::Notice,
        deadline: None,
        heard_at: Some(at(11, 0)),
        capabilities,
        answered: false,
        template: false,
        billed: false,
        fallback: false,
        opted_out: false,
        quiet_hours: Some(nights),
        refused: Refused::default(),
    }
}

#[test]
fn each_rule_in_its_turn() {
    let (all, nights) = (everything(), nights());
    let plain = Capabilities {
        extended_window: None,
        templates: false,
        ..everything()
    };
    let unlimited = Capabilities::text_only(100);
    let open = notice(&all, &nights);
    let closed = Situation {
        heard_at: Some(at(11, 0) - HOUR * 24),
        ..open
    };
    let refused = |free, template| Refused {
        free,
        template,
        gone: false,
    };
    let gone = Refused {
        gone: true,
        ..Refused::default()
    };
    let night = |hour| Situation {
        now: at(hour, 0),
        ..open
    };
    let kept = Plan::KeepUntilHeard(Reason::WindowClosed);
    let morning = Plan::KeepUntil(at(31, 0), Reason::QuietHours);
    let cases: Vec<(&str, Situation<'_>, Plan)> = vec![
        ("the window is open", open, Plan::Send(Way::Free)),
        (
            "its last moment",
            Situation {
                heard_at: Some(at(12, 0) - HOUR * 24),
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "a channel without a window",
            Situation {
                capabilities: &unlimited,
                heard_at: None,
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "never heard",
            Situation {
                heard_at: None,
                ..open
            },
            kept,
        ),
        ("closed, nothing else", closed, kept),
        (
            "billed is allowed",
            Situation {
                billed: true,
                ..closed
            },
            Plan::Send(Way::Billed),
        ),
        (
            "billed goes before a template",
            Situation {
                billed: true,
                template: true,
                ..closed
            },
            Plan::Send(Way::Billed),
        ),
        (
            "billed, but too late for that",
            Situation {
                billed: true,
                heard_at: Some(at(0, 0) - HOUR * 24 * 8),
                ..open
            },
            kept,
        ),
        (
            "billed, but the channel has no such time",
            Situation {
                billed: true,
                capabilities: &plain,
                ..closed
            },
            kept,
        ),
        (
            "a template",
            Situation {
                template: true,
                ..closed
            },
            Plan::Send(Way::Template),
        ),
        (
            "a template goes before the other channel",
            Situation {
                template: true,
                fallback: true,
                ..closed
            },
            Plan::Send(Way::Template),
        ),
        (
            "a template that the channel cannot carry",
            Situation {
                template: true,
                capabilities: &plain,
                ..closed
            },
            kept,
        ),
        (
            "a template to one never heard",
            Situation {
                template: true,
                heard_at: None,
                ..open
            },
            Plan::Send(Way::Template),
        ),
        (
            "the other channel",
            Situation {
                fallback: true,
                ..closed
            },
            Plan::FallBack(Reason::WindowClosed),
        ),
        (
            "open after all does not go there",
            Situation {
                fallback: true,
                template: true,
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "the provider says closed",
            Situation {
                refused: refused(true, false),
                ..open
            },
            kept,
        ),
        (
            "… billed as well",
            Situation {
                refused: refused(true, false),
                billed: true,
                ..closed
            },
            kept,
        ),
        (
            "… then a template",
            Situation {
                refused: refused(true, false),
                template: true,
                ..open
            },
            Plan::Send(Way::Template),
        ),
        (
            "… and not that either",
            Situation {
                refused: refused(true, true),
                template: true,
                fallback: true,
                ..open
            },
            Plan::FallBack(Reason::TemplateRefused),
        ),
        (
            "… nor is there another channel",
            Situation {
                refused: refused(true, true),
                template: true,
                ..open
            },
            Plan::KeepUntilHeard(Reason::TemplateRefused),
        ),
        (
            "who is gone is reached elsewhere",
            Situation {
                refused: gone,
                template: true,
                fallback: true,
                ..open
            },
            Plan::FallBack(Reason::RecipientGone),
        ),
        (
            "… or not at all",
            Situation {
                refused: gone,
                template: true,
                ..open
            },
            Plan::GiveUp(Reason::RecipientGone),
        ),
        (
            "its time is over",
            Situation {
                deadline: Some(at(11, 59)),
                ..open
            },
            Plan::GiveUp(Reason::Deadline),
        ),
        (
            "its last moment counts",
            Situation {
                deadline: Some(at(12, 0)),
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "refused by the citizen",
            Situation {
                opted_out: true,
                ..open
            },
            Plan::GiveUp(Reason::OptedOut),
        ),
        (
            "an answer is not meant by that",
            Situation {
                opted_out: true,
                purpose: Purpose::Answer,
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "a reminder of what is done",
            Situation {
                answered: true,
                ..open
            },
            Plan::GiveUp(Reason::Answered),
        ),
        ("at night", night(22), morning),
        (
            "early",
            Situation {
                now: at(6, 59),
                heard_at: Some(at(2, 0)),
                ..open
            },
            Plan::KeepUntil(at(7, 0), Reason::QuietHours),
        ),
        (
            "at seven",
            Situation {
                now: at(7, 0),
                heard_at: Some(at(2, 0)),
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "just before nine",
            Situation {
                now: at(20, 59),
                ..open
            },
            Plan::Send(Way::Free),
        ),
        (
            "to somebody who just wrote",
            Situation {
                heard_at: Some(at(21, 50)),
                ..night(22)
            },
            Plan::Send(Way::Free),
        ),
        (
            "a broadcast even so",
            Situation {
                heard_at: Some(at(21, 50)),
                purpose: Purpose::Broadcast,
                ..night(22)
            },
            morning,
        ),
        (
            "an answer at night",
            Situation {
                purpose: Purpose::Answer,
                ..night(22)
            },
            Plan::Send(Way::Free),
        ),
        (
            "no hours are set",
            Situation {
                quiet_hours: None,
                ..night(22)
            },
            Plan::Send(Way::Free),
        ),
        (
            "over before the morning",
            Situation {
                deadline: Some(at(30, 0)),
                ..night(22)
            },
            Plan::GiveUp(Reason::DeadlineInQuietHours),
        ),
        (
            "over after it",
            Situation {
                deadline: Some(at(32, 0)),
                ..night(22)
            },
            morning,
        ),
        (
            "the other channel sleeps too",
            Situation {
                fallback: true,
                now: at(22, 0),
                ..closed
            },
            morning,
        ),
        (
            "a template at night",
            Situation {
                template: true,
                now: at(22, 0),
                ..closed
            },
            morning,
        ),
        (
            "closed at night waits for the citizen",
            Situation {
                now: at(22, 0),
                ..closed
            },
            kept,
        ),
        (
            "closed with a deadline",
            Situation {
                deadline: Some(at(13, 0)),
                ..closed
            },
            kept,
        ),
    ];
    for (what, situation, expected) in cases {
        assert_eq!(plan(&situation), expected, "{what}");
    }
}

#[test]
fn hours_are_read_and_what_is_wrong_with_them_is_said() {
    let wrong = |hours, zone| QuietHours::new(hours, zone).expect_err("wrong");
    let here = "Asia/Ho_Chi_Minh";
    assert_eq!(wrong("21:00", here), QuietHoursError::Form);
    assert_eq!(wrong("21:00-21:00", here), QuietHoursError::Empty);
    assert_eq!(wrong("21:00-07:00", "Asia/Nowhere"), QuietHoursError::Zone);
    let noon = QuietHours::new("12:00 - 13:30", here).expect("hours");
    assert_eq!(noon.end_of_those_around(at(12, 30)), Some(at(13, 30)));
    let there = QuietHours::new("21:00-07:00", "America/New_York").expect("hours");
    assert_eq!(there.end_of_those_around(at(12, 0)), Some(at(19, 0)));
}
