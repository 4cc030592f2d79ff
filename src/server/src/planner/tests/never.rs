//! What no situation may lead to.

use proptest::prelude::*;

use super::*;

static NOTHING: std::sync::LazyLock<Capabilities> =
    std::sync::LazyLock::new(|| Capabilities::text_only(100));

fn moments() -> impl Strategy<Value = Timestamp> {
    (0..24_u64 * 60 * 16).prop_map(|minute| at(0, 0) - HOUR * 24 * 8 + Duration::from_mins(minute))
}

fn situations() -> impl Strategy<Value = (Situation<'static>, Capabilities, bool)> {
    let windows = prop::sample::select(vec![
        (None, None, false),
        (Some(24), None, false),
        (Some(24), None, true),
        (Some(48), Some(168), true),
    ]);
    let purposes = prop::sample::select(Purpose::ALL.to_vec());
    let moments = (
        moments(),
        prop::option::of(moments()),
        prop::option::of(moments()),
    );
    let truths = prop::array::uniform9(any::<bool>());
    (windows, purposes, moments, truths).prop_map(|(windows, purpose, moments, truths)| {
        let (window, extended, templates) = windows;
        let capabilities = Capabilities {
            window: window.map(|hours| HOUR * hours),
            extended_window: extended.map(|hours| HOUR * hours),
            templates,
            ..Capabilities::text_only(100)
        };
        let [
            answered,
            template,
            billed,
            fallback,
            opted_out,
            quiet,
            free,
            refused,
            gone,
        ] = truths;
        let situation = Situation {
            now: moments.0,
            purpose,
            deadline: moments.1,
            heard_at: moments.2,
            capabilities: &NOTHING,
            answered,
            template,
            billed,
            fallback,
            opted_out,
            quiet_hours: None,
            refused: Refused {
                free,
                template: refused,
                gone,
            },
        };
        (situation, capabilities, quiet)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever else is the case.
    #[test]
    fn what_must_never_happen_does_not((situation, capabilities, quiet) in situations()) {
        let nights = nights();
        let situation = Situation {
            capabilities: &capabilities,
            quiet_hours: quiet.then_some(&nights),
            ..situation
        };
        let (now, answer) = (situation.now, situation.purpose == Purpose::Answer);
        let planned = plan(&situation);
        prop_assert_eq!(planned, plan(&situation), "one plan for one situation");
        let leaves = matches!(planned, Plan::Send(_) | Plan::FallBack(_));
        let since = situation.heard_at.map(|heard| now.since(heard));
        let within = |window: Option<Duration>| window.is_some_and(|window| {
            since.is_some_and(|since| since <= window)
        });
        if planned == Plan::Send(Way::Free) {
            prop_assert!(capabilities.window.is_none() || within(capabilities.window));
            prop_assert!(!situation.refused.free);
        }
        if planned == Plan::Send(Way::Billed) {
            prop_assert!(situation.billed && within(capabilities.extended_window));
            prop_assert!(!situation.refused.free);
        }
        if planned == Plan::Send(Way::Template) {
            prop_assert!(situation.template && capabilities.templates);
            prop_assert!(!situation.refused.template);
        }
        if let Plan::FallBack(_) = planned {
            prop_assert!(situation.fallback);
        }
        if let Plan::Send(_) = planned {
            prop_assert!(!situation.refused.gone);
        }
        if leaves {
            prop_assert!(situation.deadline.is_none_or(|deadline| now <= deadline));
            prop_assert!(answer || !situation.opted_out);
            prop_assert!(!situation.answered);
            let asleep = quiet && nights.end_of_those_around(now).is_some();
            let at_it = since.is_some_and(|since| since < AT_IT);
            prop_assert!(answer || !asleep || (at_it && situation.purpose == Purpose::Notice));
        }
        if let Plan::KeepUntil(until, _) = planned {
            prop_assert!(until > now, "it is looked at again later, not at once");
            prop_assert!(nights.end_of_those_around(until).is_none());
            prop_assert!(situation.deadline.is_none_or(|deadline| until <= deadline));
        }
    }
}
