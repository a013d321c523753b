//! Message ids that applications have put lately: a message that is put again, because its answer was lost, is sent once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Most ids that are remembered; the oldest are forgotten first.
const IDS_MAX: usize = 100_000;
/// Most bytes of these ids together.
const ID_OCTETS_MAX: usize = 16 << 20;

/// Ids of messages that were put within a window of time. Clones share it. The ids are in memory: a restart forgets them.
#[derive(Clone, Debug)]
pub struct Posted(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Time for which an id is remembered; `None` remembers none.
    window: Option<Duration>,
    start: Instant,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Digest of the message, and since when it is stored; `None` while it is being stored.
    ids: HashMap<Arc<str>, (u64, Option<Duration>)>,
    /// Stored ids, the oldest first.
    order: VecDeque<(Duration, Arc<str>)>,
    octets: usize,
}

/// Knowledge of a message that is to be put.
#[derive(Debug)]
pub enum Claim {
    /// The id is new. Dropped without [`Claimed::stored`] it is new again.
    New(Claimed),
    /// The same message is stored already.
    Stored,
    /// The same message is being stored by another request.
    Pending,
    /// Another message has this id.
    Taken,
}

/// Right to put the message of a new id.
#[derive(Debug)]
pub struct Claimed {
    posted: Posted,
    id: Option<Arc<str>>,
}

impl Posted {
    /// Returns the memory of a bus that was just opened.
    #[must_use]
    pub fn new(window: Option<Duration>) -> Posted {
        Posted(Arc::new(Inner { window, start: Instant::now(), known: Mutex::default() }))
    }

    /// Claims an id for a message whose content has this digest.
    #[must_use]
    pub fn claim(&self, id: &str, digest: u64) -> Claim {
        let Some(window) = self.0.window else { return Claim::New(Claimed { posted: self.clone(), id: None }) };
        let mut known = self.known();
        known.forget_before(self.0.start.elapsed().checked_sub(window));
        match known.ids.get(id) {
            Some((other, _)) if *other != digest => Claim::Taken,
            Some((_, Some(_))) => Claim::Stored,
            Some((_, None)) => Claim::Pending,
            None => {
                let id: Arc<str> = id.into();
                known.ids.insert(Arc::clone(&id), (digest, None));
                Claim::New(Claimed { posted: self.clone(), id: Some(id) })
            }
        }
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.known().ids.len()
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claimed {
    /// Returns `true` if this is the claim on an id.
    #[must_use]
    pub fn is_of(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    /// Notes that the message is stored.
    pub fn stored(mut self) {
        let Some(id) = self.id.take() else { return };
        let now = self.posted.0.start.elapsed();
        let mut known = self.posted.known();
        if let Some((_, stored)) = known.ids.get_mut(&id) {
            *stored = Some(now);
            known.octets += id.len();
            known.order.push_back((now, id));
        }
        while known.order.len() > IDS_MAX || known.octets > ID_OCTETS_MAX {
            known.forget_first();
        }
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.posted.known().ids.remove(id);
        }
    }
}

impl Known {
    fn forget_before(&mut self, oldest: Option<Duration>) {
        while let (Some((stored, _)), Some(oldest)) = (self.order.front(), oldest)
            && *stored <= oldest
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.order.pop_front() {
            self.octets -= id.len();
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    //! Guards which messages are taken for repeated, and that the memory is bounded.

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);
    const HELLO: u64 = 1;
    const OTHER: u64 = 2;

    fn new(claim: Claim) -> Claimed {
        match claim {
            Claim::New(claimed) => claimed,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_known_within_its_window_and_new_after_it() {
        let posted = Posted::new(Some(WINDOW));
        new(posted.claim("m", HELLO)).stored();
        assert!(matches!(posted.claim("m", HELLO), Claim::Stored));
        assert!(matches!(posted.claim("m", OTHER), Claim::Taken));
        new(posted.claim("n", HELLO)).stored();
        tokio::time::advance(WINDOW - Duration::from_millis(1)).await;
        assert!(matches!(posted.claim("m", HELLO), Claim::Stored));
        tokio::time::advance(Duration::from_millis(1)).await;
        new(posted.claim("m", OTHER)).stored();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_stored_is_new_again() {
        let posted = Posted::new(Some(WINDOW));
        let claimed = new(posted.claim("m", HELLO));
        assert!(matches!(posted.claim("m", HELLO), Claim::Pending));
        assert!(matches!(posted.claim("m", OTHER), Claim::Taken));
        drop(claimed);
        new(posted.claim("m", OTHER)).stored();
        assert!(matches!(posted.claim("m", OTHER), Claim::Stored));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_window_nothing_is_remembered() {
        let posted = Posted::new(None);
        for _ in 0..3 {
            new(posted.claim("m", HELLO)).stored();
        }
        assert!(posted.known().ids.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_ids_are_forgotten_when_there_are_too_many() {
        let posted = Posted::new(Some(WINDOW));
        for number in 0..IDS_MAX + 10 {
            new(posted.claim(&number.to_string(), 0)).stored();
        }
        let (ids, order) = (posted.remembered(), posted.known().order.len());
        assert_eq!((ids, order), (IDS_MAX, IDS_MAX));
        new(posted.claim("9", 0)).stored();
        assert!(matches!(posted.claim("50", 0), Claim::Stored));
        let long = "x".repeat(ID_OCTETS_MAX);
        new(posted.claim(&long, 0)).stored();
        assert_eq!(posted.known().order.len(), 1);
    }
}
