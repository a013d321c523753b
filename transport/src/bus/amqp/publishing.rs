//! Publications on their way to the broker: written one after the other without waiting, told in the order of writing.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::FutureExt as _;
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};

use super::{AmqpConfig, EXCHANGE};
use crate::bus::{Publication, Route};

/// What waits for the broker's word.
#[derive(Debug)]
pub(super) enum Sent {
    /// Somebody is told.
    Publication(Publication),
    /// What has this tag at the broker is dead, and done with once this is stored.
    DeadLetter { broker_tag: u64, body: Bytes, reason: String },
}

/// What the broker said.
#[derive(Debug)]
pub(super) enum Said {
    /// It has it.
    Stored(Sent),
    /// It does not want it, or has nowhere to put it.
    Refused(Sent, Arc<str>),
}

type Confirm = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

/// What has been written, in order.
pub(super) struct Publishing {
    channel: Arc<Channel>,
    keys: [ShortString; 4],
    properties: BasicProperties,
    sent: VecDeque<(Sent, Confirm)>,
    /// Confirmed, and not yet told: a message that came back is not always with the confirmation of its own.
    confirmed: VecDeque<(Sent, Confirmation)>,
    /// Came back, and not yet confirmed: the broker says so at once, and the client with the next confirmation of any.
    returned: Vec<BasicReturnMessage>,
    failed: Option<lapin::Error>,
}

impl Publishing {
    pub(super) fn new(channel: Arc<Channel>, config: &AmqpConfig) -> Publishing {
        let key = |route: Route| match route {
            Route::Failed => ShortString::from(config.reject_queue()),
            route => format!("{}.{}", config.transport_name, route.name()).into(),
        };
        Publishing {
            channel,
            keys: [Route::Inbound, Route::Event, Route::Status, Route::Failed].map(key),
            // As vumi2 writes them: persistent, and nothing else.
            properties: BasicProperties::default().with_delivery_mode(2),
            sent: VecDeque::new(),
            confirmed: VecDeque::new(),
            returned: Vec::new(),
            failed: None,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    fn key(&self, sent: &Sent) -> &ShortString {
        match sent {
            Sent::Publication(publication) => &self.keys[publication.route as usize],
            Sent::DeadLetter { .. } => &self.keys[Route::Failed as usize],
        }
    }

    /// Writes it behind what was written before.
    pub(super) fn send(&mut self, sent: Sent) {
        let channel = Arc::clone(&self.channel);
        let key = self.key(&sent).clone();
        let (body, properties) = match &sent {
            Sent::Publication(publication) => (publication.body.clone(), self.properties.clone()),
            Sent::DeadLetter { body, reason, .. } => {
                let mut headers = FieldTable::default();
                headers.insert("reason".into(), lapin::types::AMQPValue::LongString(reason.as_str().into()));
                (body.clone(), self.properties.clone().with_headers(headers))
            }
        };
        // Mandatory: what no queue takes comes back, instead of being lost.
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut confirm: Confirm =
            Box::pin(
                async move { channel.basic_publish(EXCHANGE.into(), key, options, &body, properties).await?.await },
            );
        // The first poll puts it in line to be written. What it comes to is asked when it is the first that waits.
        match confirm.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => self.sent.push_back((sent, confirm)),
            Poll::Ready(result) => self.sent.push_back((sent, Box::pin(std::future::ready(result)))),
        }
    }

    /// What the broker has said since the last time, in the order of writing; pending if nothing. Once it has failed it is of
    /// no more use: see [`unconfirmed`](Publishing::unconfirmed).
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, said: &mut Vec<Said>) -> Poll<lapin::Result<()>> {
        // A word of the broker's may be about many at once, and the client tells them one by one, in any order, while it
        // holds a lock that asking for confirms takes too. What is here before that is here with all of its word afterwards;
        // by then a next word may have begun, so it is done until nothing new is here.
        let mut count = 0;
        self.take_confirmed(cx);
        while self.confirmed.len() > count {
            count = self.confirmed.len();
            let _ = self.channel.wait_for_confirms().now_or_never();
            self.take_confirmed(cx);
        }
        if count == 0 {
            return self.failed.clone().map_or(Poll::Pending, |error| Poll::Ready(Err(error)));
        }
        self.sort_out(said);
        Poll::Ready(Ok(()))
    }

    fn take_confirmed(&mut self, cx: &mut Context<'_>) {
        while self.failed.is_none()
            && let Some((_, confirm)) = self.sent.front_mut()
            && let Poll::Ready(confirmation) = confirm.as_mut().poll(cx)
        {
            match confirmation {
                Ok(confirmation) => {
                    let sent = self.sent.pop_front();
                    self.confirmed.extend(sent.map(|(sent, _)| (sent, confirmation)));
                }
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// Finds which have come back. The client gives a message that came back to the first that is confirmed after it: to one
    /// that was published before it, or with a confirmation about both.
    fn sort_out(&mut self, said: &mut Vec<Said>) {
        let mut stored: Vec<(Sent, bool)> = Vec::with_capacity(self.confirmed.len());
        for (sent, confirmation) in self.confirmed.drain(..) {
            let is_ack = confirmation.is_ack();
            self.returned.extend(confirmation.take_message());
            stored.push((sent, is_ack));
        }
        for (sent, is_ack) in stored {
            let key = self.key(&sent);
            let is_it =
                |message: &BasicReturnMessage| message.routing_key == *key && message.data == sent.body().as_ref();
            let place = self.returned.iter().position(is_it);
            said.push(match place.map(|place| self.returned.swap_remove(place)) {
                Some(message) => {
                    let words = format!("{} {}: {}", message.reply_code, message.reply_text, message.routing_key);
                    Said::Refused(sent, words.into())
                }
                None if is_ack => Said::Stored(sent),
                None => Said::Refused(sent, "the broker could not store it".into()),
            });
        }
        if self.sent.is_empty() {
            for message in self.returned.drain(..) {
                tracing::error!(routing_key = %message.routing_key, "a message came back that was not known to be on its way");
            }
        }
    }

    /// What the broker has not confirmed, in order. What it has is told by [`poll`](Publishing::poll) before.
    pub(super) fn unconfirmed(self) -> impl DoubleEndedIterator<Item = Publication> {
        self.sent.into_iter().filter_map(|(sent, _)| match sent {
            Sent::Publication(publication) => Some(publication),
            // What is dead comes again by itself.
            Sent::DeadLetter { .. } => None,
        })
    }
}

impl Sent {
    fn body(&self) -> &Bytes {
        match self {
            Sent::Publication(publication) => &publication.body,
            Sent::DeadLetter { body, .. } => body,
        }
    }
}
