//! The contract suite: what every store has to do, as tests against the trait.
//!
//! A store's test file implements [`Fixture`] and calls [`contract_suite!`](crate::contract_suite).
//! Cases take time as arguments where they can; where an operation really waits, the case waits for
//! a condition with a deadline.

#![cfg_attr(
    not(test),
    expect(
        clippy::wildcard_imports,
        reason = "every case is written with all of `support`"
    )
)]

pub mod archive;
pub mod contacts;
pub mod dead;
pub mod deliveries;
pub mod erase;
pub mod inbox;
pub mod lanes;
pub mod model;
pub mod outbox;
pub mod ownership;
pub mod rest;
pub mod sent;
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

    /// Whether the conversations lie in partitions that take turns, so that what waits longest comes
    /// first only within each.
    fn takes_turns(&self) -> bool {
        false
    }
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
            turn {
                a_commit_is_whole_and_survives_the_death_of_the_process
                a_commit_without_the_lease_changes_nothing
                a_commit_counts_once
                a_taken_code_changes_nothing_and_keeps_the_lease
                a_code_may_not_repeat_within_a_commit_or_a_batch
                events_that_come_during_a_turn_wait_for_the_next
                a_session_ends
                one_lost_lease_does_not_spoil_the_batch
                an_event_set_aside_is_a_dead_letter
            }
            contacts {
                a_record_survives_the_death_of_the_process
                a_contact_tells_when_the_citizen_was_heard_from
                erasure_removes_the_record
                retention_removes_old_records
                a_note_is_added_to_the_history_of_its_ticket
            }
            lanes {
                answers_come_before_notices_before_broadcasts
                each_lane_keeps_its_order_and_holds_back_no_other
                a_notice_that_waits_for_a_moment_is_due_when_the_citizen_is_there
                a_dead_letter_goes_back_into_its_lane
            }
            outbox {
                replies_come_in_order_one_at_a_time_per_conversation
                a_reply_survives_the_death_of_the_process
                a_retry_holds_back_only_its_own_conversation
                a_retry_counts_when_it_is_told_to
                a_parked_reply_waits_until_the_citizen_is_heard_from
                waking_makes_the_parked_reply_due
                what_is_heard_gives_unsent_replies_their_window
                a_buried_reply_is_a_dead_letter_and_the_next_goes_on
                a_dropped_reply_leaves_no_trace
                a_lost_lease_is_passed_over
                a_claim_of_replies_wakes_for_a_new_one_and_for_a_retry
                channels_do_not_see_each_others_replies
                order_holds_through_trouble_and_reopening
                many_waiting_replies_keep_their_order
            }
            sent {
                a_sent_reply_is_kept_under_its_message
                erasure_removes_what_was_sent
                the_newest_are_kept
                a_reply_given_up_later_is_a_dead_letter_of_its_lane
            }
            ownership {
                a_channel_has_one_owner_while_the_lease_holds
                the_others_are_told_how_long_the_lease_lasts
                a_renewal_keeps_the_epoch_and_prolongs_the_lease
                another_owns_after_the_lease_under_a_later_epoch
                an_owner_that_comes_back_too_late_has_a_later_epoch
                letting_go_frees_at_once
                nobody_lets_go_of_what_another_owns
                several_channels_are_owned_in_one_call
                epochs_grow_over_reopening
                claims_of_an_earlier_epoch_are_refused
                a_waiting_claim_of_an_earlier_epoch_gets_nothing
                epochs_of_channels_are_apart
                what_a_dead_owner_had_in_flight_comes_back_at_once
                a_late_word_of_an_earlier_owner_is_passed_over
                a_late_word_before_the_next_claim_keeps_the_order
                order_holds_over_changes_of_owner
            }
            deliveries {
                a_ticket_is_delivered_with_its_personal_part
                a_delivery_is_claimed_once_while_its_lease_holds
                a_retried_delivery_comes_again_when_due
                a_delivered_ticket_keeps_reference_and_history
                a_buried_delivery_is_a_dead_letter
                a_disabled_backend_gets_nothing
                a_lost_lease_on_a_delivery_is_passed_over
                deliveries_survive_the_death_of_the_process
                a_claim_of_deliveries_wakes_for_a_new_ticket
                a_ticket_is_found_by_id_and_by_code
                tickets_are_listed_newest_first_and_by_page
            }
            timers {
                a_timer_fires_once_when_due
                a_timer_of_the_same_name_is_replaced
                a_cancelled_timer_does_not_come
                a_timer_passes_the_bound_of_its_inbox
                timers_survive_the_death_of_the_process
                no_more_timers_fire_than_asked_for
                timers_that_were_put_off_fire_in_order_of_their_last_moment
                waiting_for_timers_ends_when_one_comes_due
            }
            dead {
                dead_letters_are_listed_newest_first_and_by_page
                a_retried_event_is_in_the_inbox_again
                a_retried_reply_goes_behind_what_waits
                a_retried_delivery_is_due_at_once
                a_dropped_dead_letter_is_gone
                what_is_not_there_is_neither_retried_nor_dropped
            }
            erase {
                erasure_leaves_nothing_of_a_conversation
                erasure_takes_the_lease_away
                an_erased_ticket_is_delivered_without_its_personal_part
                erasure_keeps_the_marks
                erasure_within_a_commit_comes_first
                a_purge_removes_marks_past_their_window
                a_purge_removes_idle_sessions_only
                a_session_of_late_events_is_kept_from_when_we_took_them
                a_purge_removes_old_dead_letters
                a_purge_removes_personal_parts_past_their_time
            }
            rest {
                documents_are_kept_and_found_by_prefix
                a_document_is_found_by_its_name_and_removed_once
                a_document_is_exchanged_only_for_the_expected_one
                one_of_many_exchanges_a_document
                depths_count_what_waits
                depths_are_the_same_after_reopening
                a_healthy_store_answers_a_ping
                a_closed_store_refuses_and_reopens_whole
                operations_of_many_callers_all_happen
            }
            model {
                random_operations_give_the_answers_of_a_simple_model
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
