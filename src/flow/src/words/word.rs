//! What the system itself says: every word has a name here and a line in `locales/<lang>/system.ftl`.

macro_rules! words {
    ($($name:ident $id:literal [$($place:literal),*],)*) => {
        /// One thing that the system says, or a list of key words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Word {
            $($name,)*
        }

        impl Word {
            /// All of them, in the order of their numbers.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its message id in `system.ftl`.
            pub(crate) const fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The places that its text may have.
            pub(crate) const fn places(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$($place,)*],)*
                }
            }
        }
    };
}

words! {
    LanguageName "language-name" [],
    Agency "agency" [],
    Hotline "hotline" [],
    Address "address" [],
    Skip "skip" [],
    Done "done" [],
    Send "send" [],
    Change "change" [],
    Cancel "cancel" [],
    Back "back" [],
    Menu "menu" [],
    Person "person" [],
    Yes "yes" [],
    No "no" [],
    Agree "agree" [],
    Disagree "disagree" [],
    EraseYes "erase-yes" [],
    EraseNo "erase-no" [],
    RetryText "retry-text" [],
    RetryTextShort "retry-text-short" ["min"],
    RetryTextLong "retry-text-long" ["max"],
    RetryChoice "retry-choice" [],
    RetryChoiceSeveral "retry-choice-several" [],
    RetryChoices "retry-choices" [],
    RetryChoicesCount "retry-choices-count" ["min", "max"],
    RetryYesNo "retry-yes-no" [],
    RetryNumber "retry-number" [],
    RetryNumberWhole "retry-number-whole" [],
    RetryNumberRange "retry-number-range" ["min", "max"],
    RetryNumberLow "retry-number-low" ["min"],
    RetryNumberHigh "retry-number-high" ["max"],
    RetryRating "retry-rating" ["max"],
    RetryDate "retry-date" [],
    RetryDateEarly "retry-date-early" ["min"],
    RetryDateLate "retry-date-late" ["max"],
    RetryPhone "retry-phone" [],
    RetryEmail "retry-email" [],
    RetryLocation "retry-location" [],
    RetryMedia "retry-media" ["kinds"],
    RetryConsent "retry-consent" [],
    RetryReview "retry-review" [],
    HelpText "help-text" [],
    HelpChoice "help-choice" [],
    HelpChoices "help-choices" [],
    HelpYesNo "help-yes-no" [],
    HelpNumber "help-number" [],
    HelpRating "help-rating" [],
    HelpDate "help-date" [],
    HelpPhone "help-phone" [],
    HelpEmail "help-email" [],
    HelpLocation "help-location" [],
    HelpMedia "help-media" [],
    HelpConsent "help-consent" [],
    HelpReview "help-review" [],
    Stuck "stuck" [],
    ReviewTitle "review-title" [],
    ReviewHow "review-how" [],
    ReviewWhich "review-which" [],
    ReviewNone "review-none" [],
    ReviewMedia "review-media" ["count"],
    ReviewLocation "review-location" [],
    MediaReceived "media-received" ["count"],
    MediaKept "media-kept" [],
    MediaFull "media-full" ["max"],
    LocationKept "location-kept" [],
    Kept "kept" [],
    Unsupported "unsupported" [],
    TextCut "text-cut" ["max"],
    KindImage "kind-image" [],
    KindVideo "kind-video" [],
    KindAudio "kind-audio" [],
    KindFile "kind-file" [],
    Cancelled "cancelled" [],
    NothingToCancel "nothing-to-cancel" [],
    NoBack "no-back" [],
    CannotSkip "cannot-skip" [],
    HelpGeneral "help-general" [],
    Stopped "stopped" [],
    OldButton "old-button" [],
    AnswerChanged "answer-changed" ["label"],
    Edited "edited" [],
    Migrated "migrated" [],
    FlowGone "flow-gone" [],
    Received "received" ["code"],
    Finished "finished" [],
    Refused "refused" ["hotline", "address"],
    PersonSoon "person-soon" [],
    PersonHotline "person-hotline" ["hotline", "address"],
    LanguageAsk "language-ask" [],
    LanguageChanged "language-changed" [],
    EraseAsk "erase-ask" [],
    Erased "erased" [],
    EraseKept "erase-kept" [],
    DataNone "data-none" [],
    DataList "data-list" [],
    DataItem "data-item" ["code", "title", "date"],
    DataOpen "data-open" ["title", "count"],
    DataErase "data-erase" [],
    Flood "flood" [],
    Reminder "reminder" ["title"],
    Expired "expired" [],
    OptedOut "opted-out" [],
    OptedIn "opted-in" [],
    FeedbackTitle "feedback-title" ["title"],
    FeedbackTicket "feedback-ticket" [],
    FeedbackRating "feedback-rating" [],
    FeedbackChoices "feedback-choices" [],
    FeedbackText "feedback-text" [],
    WordsBack "words-back" [],
    WordsBackSure "words-back-sure" [],
    WordsSkip "words-skip" [],
    WordsSkipSure "words-skip-sure" [],
    WordsChange "words-change" [],
    WordsChangeSure "words-change-sure" [],
    WordsCancel "words-cancel" [],
    WordsCancelSure "words-cancel-sure" [],
    WordsRestart "words-restart" [],
    WordsRestartSure "words-restart-sure" [],
    WordsMenu "words-menu" [],
    WordsMenuSure "words-menu-sure" [],
    WordsHelp "words-help" [],
    WordsHelpSure "words-help-sure" [],
    WordsLanguage "words-language" [],
    WordsLanguageSure "words-language-sure" [],
    WordsPerson "words-person" [],
    WordsPersonSure "words-person-sure" [],
    WordsErase "words-erase" [],
    WordsEraseSure "words-erase-sure" [],
    WordsData "words-data" [],
    WordsDataSure "words-data-sure" [],
    WordsStop "words-stop" [],
    WordsStopSure "words-stop-sure" [],
    WordsContinue "words-continue" [],
    WordsDone "words-done" [],
    WordsSend "words-send" [],
    WordsSwitch "words-switch" [],
}
