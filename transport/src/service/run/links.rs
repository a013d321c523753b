//! What the loop hears of its links, and tells of them.

use std::sync::Arc;
use std::time::Duration;

use super::{Done, Run};
use crate::service::link::{LinkFault, LinkHealth, LinkState, Told};
use crate::service::metrics::{LinkEnd, OfLink};

impl Run {
    pub(super) fn tell_of_pauses(&mut self, now: Duration) {
        let is_paused = self.queue.is_paused(now);
        let paused_since = std::mem::replace(&mut self.paused_since, is_paused.then_some(now));
        if let Some(since) = paused_since {
            self.shared.metrics.throttled.inc_by(now.saturating_sub(since).as_secs_f64());
        }
        if is_paused != self.is_paused {
            self.is_paused = is_paused;
            let state = if is_paused { "throttled" } else { "unthrottled" };
            self.tell("smpp".to_owned(), state, String::new());
        }
    }

    fn tell(&self, component: String, state: &'static str, words: String) {
        if self.shared.config.status_events {
            let shared = Arc::clone(&self.shared);
            self.work.push(Box::pin(async move {
                shared.tell_status(component, state, words).await;
                Done::Nothing
            }));
        }
    }

    pub(super) fn heard(&mut self, number: usize, told: Told) {
        match told {
            Told::Incoming(delivery) => {
                let shared = Arc::clone(&self.shared);
                self.work.push(Box::pin(async move {
                    shared.take_delivery(*delivery).await;
                    Done::Nothing
                }));
            }
            Told::Needed => {
                self.links[number].health.is_optional = false;
                self.changed(number, LinkState::Connecting, None);
            }
            Told::Bound(client, peer) => {
                self.links[number].health.peer = peer;
                self.links[number].client = Some(client);
                self.links[number].session += 1;
                self.count(number, true);
                self.changed(number, LinkState::Bound, None);
            }
            Told::Down(fault) => self.is_down(number, LinkState::Connecting, fault),
            Told::Stopped(fault) => self.is_down(number, LinkState::Stopped, fault),
        }
    }

    fn is_down(&mut self, number: usize, state: LinkState, LinkFault { reason, words, peer }: LinkFault) {
        self.links[number].client = None;
        self.queue.link_ended(number as u64);
        self.count(number, false);
        let health = &mut self.links[number].health;
        health.last_reason = Some(reason);
        health.peer = peer.or(health.peer.take());
        *health.ends.entry(reason).or_default() += 1;
        let of = LinkEnd { link: health.name.clone(), reason };
        self.shared.metrics.ends.get_or_create(&of).inc();
        self.changed(number, state, Some(words));
    }

    fn count(&self, number: usize, is_bound: bool) {
        let (metrics, of) = (&self.shared.metrics, OfLink { link: self.links[number].health.name.clone() });
        metrics.bound.get_or_create(&of).set(i64::from(is_bound));
        if is_bound { &metrics.binds } else { &metrics.failures }.get_or_create(&of).inc();
    }

    fn changed(&mut self, number: usize, state: LinkState, error: Option<String>) {
        let now = self.shared.now();
        let health = &mut self.links[number].health;
        if health.state != state.name() {
            health.since = now;
        }
        health.state = state.name();
        health.bound = state == LinkState::Bound;
        let words = error.clone().unwrap_or_default();
        health.last_error = error.or(health.last_error.take());
        let name = health.name.clone();
        self.tell(name, state.name(), words);
        self.show();
    }

    /// Whoever waits for links to change hears nothing of this.
    pub(super) fn show_outstanding(&self) {
        self.health.send_if_modified(|shown| {
            shown.iter_mut().zip(&self.links).for_each(|(shown, link)| shown.outstanding = link.outstanding);
            false
        });
    }

    pub(super) fn show(&self) {
        let health = self.links.iter().map(|link| LinkHealth { outstanding: link.outstanding, ..link.health.clone() });
        self.health.send_replace(health.collect());
    }
}
