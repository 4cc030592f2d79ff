//! The contract suite: what every store has to do, as tests against the trait.
//!
//! A store's test file implements [`Fixture`] and calls [`contract_suite!`](crate::contract_suite).
//! Cases take time as arguments where they can; where an operation really waits, the case waits for
//! a condition with a deadline.

#![expect(clippy::missing_errors_doc, reason = "cases panic, as tests do")]

pub mod dead;
pub mod deliveries;
pub mod erase;
pub mod inbox;
pub mod model;
pub mod outbox;
pub mod rest;
mod support;
pub mod timers;
pub mod turn;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Limits, Store};

/// One store's data, which can be opened again and again.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Opens the store. Called again after all clones of the last one were dropped, closed or not,
    /// it opens the same data; a drop without `close` stands for the death of the process.
    async fn open(&self, limits: Limits) -> Arc<dyn Store>;
}

/// Declares a test for each case of the suite. The expression makes a [`Fixture`] of its own for
/// each test.
#[macro_export]
macro_rules! contract_suite {
    ($fixture:expr) => {
        $crate::contract_suite! { @cases $fixture,
            inbox {
                an_accepted_event_survives_the_death_of_the_process
                a_redelivery_changes_nothing
                two_equal_events_in_one_batch_are_one
                a_redelivery_is_known_after_reopening_and_after_processing
                events_of_a_conversation_come_in_order_of_acceptance
                a_conversation_has_one_holder
                conversations_that_wait_longest_come_first
                a_claim_carries_no_more_than_the_limit_and_the_rest_follows
                a_lease_that_ran_out_lets_another_claim_and_fences_the_first
                a_full_conversation_is_refused_and_costs_others_nothing
                a_full_store_takes_none_of_a_batch
                an_event_refused_for_room_is_no_duplicate_later
                a_released_conversation_comes_back_when_its_time_has_come
                a_claim_returns_as_soon_as_an_event_comes
                a_claim_returns_nothing_when_its_time_is_over
                a_claim_that_nobody_awaits_any_more_loses_nothing
                a_claim_wakes_when_a_lease_runs_out
                leases_of_a_dead_process_are_worth_nothing
            }
        }
    };
    (@cases $fixture:expr, $($topic:ident { $($case:ident)* })*) => {
        $(mod $topic {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    $crate::contract::$topic::$case(&$fixture).await;
                }
            )*
        })*
    };
}
