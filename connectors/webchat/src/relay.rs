//! Visitors of other replicas. One replica sends the channel's replies, but a browser may be
//! connected to any: then the sender asks over the line between replicas, whoever has the visitor
//! hands the reply over, and says so when the page has acknowledged it.
//!
//! The line may lose anything. What is lost costs time only: an unacknowledged reply is parked, and
//! comes again under the same id when the visitor next says that they are there.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use langnghe_connector::Host;
use langnghe_model::{CitizenId, Profile};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

use crate::{
    Config,
    hub::{Help, Hub},
    offer::{Offer, Progress, Silence},
    presence::Reach,
};

/// How many words may wait to be said; beyond, they are lost.
const WORDS_WAITING: usize = 4096;
/// How many words are said at once.
const WORDS_AT_ONCE: usize = 32;
/// How many replies of other replicas are handed over at once; beyond, no help is given.
const HELP_AT_ONCE: usize = 4096;
/// How long another replica may take to say which language a visitor reads.
const LANGUAGE_TIME: Duration = Duration::from_millis(300);
/// The longest id of a reply that is passed on; ours are shorter.
const ID_BYTES: usize = 64;

/// What replicas say to each other. No `Debug`: it holds what we say to a citizen.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Word {
    /// Whoever has this visitor: hand them this reply.
    Offer {
        citizen: CitizenId,
        id: String,
        frame: String,
    },
    /// I have them, and they have it; wait for their answer.
    UnderWay { citizen: CitizenId, id: String },
    /// Their page has shown and kept it.
    Acknowledged { citizen: CitizenId, id: String },
    /// A visitor came to me: is there anything for them?
    Came { citizen: CitizenId },
    /// Show this to them, if you have them.
    Whisper { citizen: CitizenId, frame: String },
    /// Whoever has this visitor: which language do they read?
    Asked { citizen: CitizenId },
    /// This one, if any.
    Reads {
        citizen: CitizenId,
        language: Option<String>,
    },
}

/// The line to the other replicas' visitors.
#[derive(Debug)]
pub(crate) struct Relay {
    hub: Arc<Hub>,
    ack_time: Duration,
    find_time: Duration,
    words: mpsc::Sender<Vec<u8>>,
    help: Arc<Semaphore>,
    /// Who waits to hear which language a visitor reads.
    asking: Mutex<Vec<(CitizenId, oneshot::Sender<Option<String>>)>>,
    tasks: [AbortHandle; 2],
}

impl Relay {
    /// Opens the line, where there can be other replicas.
    pub(crate) fn open(config: &Config, hub: &Arc<Hub>, host: &Arc<dyn Host>) -> Option<Arc<Self>> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let heard = host.hear_replicas()?;
        let (words, waiting) = mpsc::channel(WORDS_WAITING);
        Some(Arc::new_cyclic(|relay| Self {
            hub: hub.clone(),
            ack_time: config.ack_time,
            find_time: config.find_time,
            words,
            help: Arc::new(Semaphore::new(HELP_AT_ONCE)),
            asking: Mutex::default(),
            tasks: [
                runtime.spawn(listen(relay.clone(), heard)).abort_handle(),
                runtime.spawn(speak(host.clone(), waiting)).abort_handle(),
            ],
        }))
    }

    fn say(&self, word: &Word) {
        let word = serde_json::to_vec(word).expect("strings always make JSON");
        // Lost when too many wait: the line may lose anything.
        drop(self.words.try_send(word));
    }

    /// Hands a reply to a visitor wherever they are, and waits until their page acknowledges it.
    pub(crate) async fn send(
        &self,
        citizen: &CitizenId,
        id: &str,
        frame: &str,
    ) -> Result<(), Silence> {
        let mut offer = self.hub.expect(citizen, id, frame);
        let reach = offer.reach();
        // A connection of ours may be dead while its visitor is at another replica already.
        let patience = self.find_time / 2;
        if reach == Reach::Here && offer.comes_to(Progress::Acknowledged, patience).await {
            return Ok(());
        }
        self.tell_of(citizen);
        if reach == Reach::NotHere {
            let found = offer.comes_to(Progress::Elsewhere, self.find_time).await;
            if !found && offer.reach() == Reach::NotHere {
                return Err(Silence::Away);
            }
        }
        let left = self.ack_time.saturating_sub(offer.since().elapsed());
        offer.acknowledged(left).await
    }

    /// Asks the others to hand over what waits for a visitor here.
    fn tell_of(&self, citizen: &CitizenId) {
        for (id, frame) in self.hub.tell_of(citizen) {
            self.say(&Word::Offer {
                citizen: citizen.clone(),
                id: id.to_string(),
                frame: frame.to_string(),
            });
        }
    }

    /// A visitor came to this replica.
    pub(crate) fn came(&self, citizen: &CitizenId) {
        let citizen = citizen.clone();
        self.say(&Word::Came { citizen });
    }

    /// A page has shown and kept a reply. It may have said so to another replica than the one that
    /// handed the reply over.
    pub(crate) fn acknowledged(&self, citizen: &CitizenId, id: &str) {
        if id.len() <= ID_BYTES {
            self.say(&Word::Acknowledged {
                citizen: citizen.clone(),
                id: id.to_owned(),
            });
        }
    }

    /// Shows something that is worth nothing when late to a visitor of another replica.
    pub(crate) fn whisper(&self, citizen: &CitizenId, frame: String) {
        let citizen = citizen.clone();
        self.say(&Word::Whisper { citizen, frame });
    }

    /// What another replica knows of a visitor of its own.
    pub(crate) async fn profile(&self, citizen: &CitizenId) -> Profile {
        let (sender, answer) = oneshot::channel();
        self.asking().push((citizen.clone(), sender));
        let citizen = citizen.clone();
        self.say(&Word::Asked { citizen });
        let answer = timeout(LANGUAGE_TIME, answer).await;
        self.asking().retain(|(_, sender)| !sender.is_closed());
        Profile {
            name: None,
            language: answer.ok().and_then(Result::ok).flatten(),
        }
    }

    fn asking(
        &self,
    ) -> std::sync::MutexGuard<'_, Vec<(CitizenId, oneshot::Sender<Option<String>>)>> {
        // Each critical section leaves the list whole.
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(self: &Arc<Self>, word: Word) {
        match word {
            Word::Offer { citizen, id, frame } => {
                let help = self.hub.help(&citizen, &id, &frame);
                if matches!(help, Help::NotHere) {
                    return;
                }
                self.say(&Word::UnderWay { citizen, id });
                if let Help::Begun(offer) = help {
                    self.hold(offer);
                }
            }
            Word::UnderWay { citizen, id } => self.hub.under_way(&citizen, &id),
            Word::Acknowledged { citizen, id } => self.hub.acknowledged_elsewhere(&citizen, &id),
            Word::Came { citizen } => self.tell_of(&citizen),
            Word::Whisper { citizen, frame } => {
                self.hub.whisper(&citizen, &frame);
            }
            Word::Asked { citizen } => {
                if let Some(profile) = self.hub.profile(&citizen) {
                    let language = profile.language;
                    self.say(&Word::Reads { citizen, language });
                }
            }
            Word::Reads { citizen, language } => {
                let mut asking = self.asking();
                for (_, sender) in asking.extract_if(.., |(asked, _)| *asked == citizen) {
                    // Who asked may have given up.
                    drop(sender.send(language.clone()));
                }
            }
        }
    }

    /// Holds another replica's reply out to a visitor until their page acknowledges it.
    fn hold(&self, offer: Offer) {
        let Ok(place) = self.help.clone().try_acquire_owned() else {
            return;
        };
        let ack_time = self.ack_time;
        tokio::spawn(async move {
            // Whose reply it is hears of the acknowledgement, or tries again.
            let _answered: Result<(), Silence> = offer.acknowledged(ack_time).await;
            drop(place);
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn listen(relay: Weak<Relay>, mut heard: mpsc::Receiver<Vec<u8>>) {
    while let Some(word) = heard.recv().await {
        let Some(relay) = relay.upgrade() else { return };
        // A replica of a newer version may say what we do not know.
        if let Ok(word) = serde_json::from_slice(&word) {
            relay.heard(word);
        }
    }
}

async fn speak(host: Arc<dyn Host>, words: mpsc::Receiver<Vec<u8>>) {
    let words = stream::unfold(words, async |mut words| Some((words.recv().await?, words)));
    words
        .for_each_concurrent(WORDS_AT_ONCE, |word| host.tell_replicas(word))
        .await;
}
