//! The application at the other end of a transport's bus, and the handsets that write to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::env::WallClock;
use smpp_transport::pdu::time::Civil;
use smsc_sim::words::Bind;
use smsc_sim::{Control, Mo, SessionInfo};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Ground, content, handset, handset_text, name};
use crate::app::{destination, own_source, shared_destination, source, system_id, told};
use crate::history::What;
use crate::plan::{Keeps, WrongText};
use crate::world::EPOCH;

/// The simulator that runs now, if one does.
pub type SmscSlot = Arc<Mutex<Option<Control>>>;

/// That simulator.
#[must_use]
pub fn running(slot: &SmscSlot) -> Option<Control> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Whether somebody is bound to it who receives for this account.
#[must_use]
pub fn receives(control: &Control, account: &str) -> bool {
    let is_it = |session: &SessionInfo| {
        session.system_id.as_deref() == Some(account) && !matches!(session.bind, None | Some(Bind::Transmitter))
    };
    control.sessions().iter().any(is_it)
}

/// Time since 1970, as applications write it.
fn timestamp(unix: Duration) -> String {
    let civil = Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX));
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}", unix.subsec_micros())
}

/// How long it waits before it tries again what could not be done.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a message may take to be stored, before it is put again.
const PUT_TIMEOUT: Duration = Duration::from_secs(3);

/// Puts messages on the bus, and lets handsets write, at the plan's times.
pub struct Application {
    /// The bus.
    pub ground: Ground,
    /// Where handsets write to.
    pub smscs: Vec<SmscSlot>,
    /// When the run began.
    pub start: Instant,
    /// Becomes true when all processes have ended.
    pub finish: watch::Receiver<bool>,
    /// Wall time.
    pub clock: Arc<dyn WallClock>,
}

impl Application {
    /// Runs until all is done and told to finish; then looks at all that is on the bus.
    pub async fn run(mut self) {
        // Neither waits for the other.
        tokio::join!(self.put_all(), self.send_all());
        told(&mut self.finish).await;
        self.ground.note_bus(Arc::clone(&self.clock)).await;
    }

    async fn put_all(&self) {
        for (message, text) in self.ground.transport().messages.iter().enumerate() {
            sleep_until(self.start + Duration::from_millis(text.at_ms)).await;
            let body = self.body(message);
            while !self.put(message, body.clone()).await {
                sleep(AGAIN).await;
            }
        }
    }

    fn body(&self, message: usize) -> Bytes {
        let owner = self.ground.owner;
        let text = &self.ground.transport().messages[message];
        let (from, to) = match (text.to, text.wrong) {
            (_, Some(WrongText::NoMessage)) => {
                return serde_json::json!({ "no_message": name(owner, message) }).to_string().into();
            }
            (_, Some(WrongText::Destination)) => (source(owner), "27".repeat(11)),
            (Some(shared), None) => (own_source(owner, message), shared_destination(owner, shared)),
            (None, None) => (source(owner), destination(owner, message)),
        };
        let body = serde_json::json!({
            "message_id": name(owner, message),
            "to_addr": to,
            "from_addr": from,
            "content": content(&self.ground.plan, owner, message),
            "timestamp": timestamp(EPOCH + self.ground.recorder.now()),
            "transport_name": "smpp",
            "transport_type": "sms",
        });
        body.to_string().into()
    }

    async fn put(&self, message: usize, body: Bytes) -> bool {
        let note = |is_stored| self.ground.recorder.note(What::Put { owner: self.ground.owner, message, is_stored });
        if self.ground.transport().keeps != Keeps::File {
            note(true);
            self.ground.broker.put(body);
            return true;
        }
        let door = self.ground.inner().door.clone();
        let Some(door) = door else { return false };
        note(false);
        let is_stored = matches!(timeout(PUT_TIMEOUT, door.put(body)).await, Ok(Ok(_)));
        if is_stored {
            note(true);
        }
        is_stored
    }

    async fn send_all(&self) {
        for number in 0..self.ground.transport().handsets.len() {
            let at_ms = self.ground.transport().handsets[number].text.at_ms;
            sleep_until(self.start + Duration::from_millis(at_ms)).await;
            while !self.send(number) {
                sleep(AGAIN).await;
            }
        }
    }

    /// False while there is no SMSC.
    fn send(&self, number: usize) -> bool {
        let owner = self.ground.owner;
        let part = self.ground.transport();
        let from = part.handsets[number];
        let text = handset_text(&self.ground.plan, owner, number).unwrap_or_default();
        let mo = Mo {
            account: Some(system_id(part.account)),
            from: handset(owner, number),
            to: source(owner),
            multipart: from.multipart,
            parts: from.parts(&text),
            reference: from.reference,
            text: Some(text),
            data_sm: from.data_sm,
            ..Mo::default()
        };
        let Some((smsc, control)) = self.smsc(&system_id(part.account)) else { return false };
        self.ground.handset_has_sent();
        match control.deliver(&mo) {
            Ok(_) => self.ground.recorder.note(What::Sent { smsc, owner, handset: number }),
            Err(error) => self.ground.recorder.note(What::Restless { what: format!("no handset can send: {error}") }),
        }
        true
    }

    /// The SMSC to which somebody is bound who receives for this account; else the first that runs.
    fn smsc(&self, account: &str) -> Option<(usize, Control)> {
        let all = self.smscs.iter().enumerate();
        let all: Vec<_> = all.filter_map(|(smsc, slot)| Some((smsc, running(slot)?))).collect();
        let place = all.iter().position(|(_, control)| receives(control, account)).unwrap_or(0);
        all.into_iter().nth(place)
    }
}
