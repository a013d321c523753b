//! All that can be done to a simulator while it runs, and all that can be seen of it. The HTTP API is made of this, and
//! can do no more.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::env::WallClock;
use smpp_transport::pdu::Outbind;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use smpp_transport::driver::Accept;

use crate::config::Config;
use crate::hub::{DeliveryInfo, DeliveryState, Hub, Order, RuleInfo, SessionInfo, Stats};
use crate::line::Line;
use crate::message::{Filter, Message};
use crate::mo::{FieldError, Mo};
use crate::peer::Peer;
use crate::policy::ReceiptPolicy;
use crate::rules::{self, Rule, Step};
use crate::traffic::{PduRecord, Tap, Traffic};
use crate::words::State;

/// A handle to a simulator. Clones are handles to the same one.
#[derive(Clone)]
pub struct Control {
    pub(crate) hub: Arc<Hub>,
}

/// Why something could not be done.
#[derive(Clone, Debug, Error, Eq, PartialEq)]
pub enum ControlError {
    /// There is no such session, message or delivery.
    #[error("there is no {what} {id}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It cannot be done now, in words.
    #[error("{0}")]
    Refused(String),
}

/// What [`Control::reset`] does beyond forgetting messages, deliveries and PDUs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reset {
    /// Whether sessions are closed. Default: they stay.
    pub sessions: bool,
    /// Whether the rules stay as they are, with their counts. Default: back to those of the start.
    pub keep_rules: bool,
    /// From which chance is drawn from now on. Default: the seed as it was, from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A receipt to send now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptNow {
    /// The state that it reports. Default: that of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Whether it is an intermediate notification.
    pub intermediate: bool,
    /// The network's error. Default: that of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u8>,
    /// What it looks like and where it goes, before what the message's own policy says.
    pub receipt: ReceiptPolicy,
}

/// Whom to dial, and who the simulator says it is (§4.1.7).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dial {
    /// `host:port` of the ESME.
    pub address: String,
    /// At most 15 characters. Default: the simulator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// At most 8 characters.
    pub password: String,
}

/// How long dialling may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long waiters sleep before they look again, so that many changes are looked at once.
const LOOK_DELAY: Duration = Duration::from_millis(2);

impl Control {
    /// A simulator that nobody can reach yet: [`serve`](crate::serve) lets them. Must be made within a tokio runtime.
    ///
    /// # Errors
    /// When the configuration has an account or a rule that cannot be, in words.
    pub fn new(config: Config, clock: Arc<dyn WallClock>) -> Result<Control, String> {
        let traffic = config.traffic(Arc::clone(&clock));
        Control::with_traffic(config, clock, Arc::new(traffic))
    }

    pub(crate) fn with_traffic(
        config: Config,
        clock: Arc<dyn WallClock>,
        traffic: Arc<Traffic>,
    ) -> Result<Control, String> {
        for (place, account) in config.accounts.iter().enumerate() {
            account.check().map_err(|words| format!("accounts[{place}]: {words}"))?;
        }
        config.policy.validate().map_err(|words| format!("policy.{words}"))?;
        rules::validate(&config.rules)?;
        Ok(Control { hub: Arc::new(Hub::new(config, clock, traffic)) })
    }

    /// Every connection, bound or not, oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.hub.sessions()
    }

    /// One connection.
    #[must_use]
    pub fn session(&self, id: u64) -> Option<SessionInfo> {
        self.hub.session(id)
    }

    /// Waits until so many sessions of the account, or of any, are bound; gives those that are when the time is up.
    pub async fn wait_for_sessions(&self, system_id: Option<&str>, count: usize, limit: Duration) -> Vec<SessionInfo> {
        let bound = || {
            let mut sessions = self.sessions();
            sessions
                .retain(|it| it.bound_at.is_some() && system_id.is_none_or(|id| it.system_id.as_deref() == Some(id)));
            sessions
        };
        self.wait_until(limit, bound, |sessions| sessions.len() >= count).await
    }

    /// Does something to a connection: unbinds, cuts, silences it, sends octets.
    ///
    /// # Errors
    /// When there is no such connection, or the step has a field that cannot be.
    pub fn act(&self, session: u64, step: Step) -> Result<(), ControlError> {
        step.validate().map_err(ControlError::Refused)?;
        if self.hub.tell(session, Order::Step(step)) { Ok(()) } else { Err(ControlError::unknown("session", session)) }
    }

    /// The messages that the filter lets through, oldest first.
    #[must_use]
    pub fn messages(&self, filter: &Filter) -> Vec<Message> {
        self.hub.inner().mailbox.select(filter)
    }

    /// Waits until so many messages pass the filter; gives those that do when the time is up.
    pub async fn wait_for_messages(&self, filter: &Filter, count: usize, limit: Duration) -> Vec<Message> {
        self.wait_until(limit, || self.messages(filter), |messages| messages.len() >= count).await
    }

    /// Waits for a message that passes the filter.
    pub async fn wait_for_message(&self, filter: &Filter, limit: Duration) -> Option<Message> {
        self.wait_for_messages(filter, 1, limit).await.into_iter().next()
    }

    /// The message of this id; of submit_multi the one to the first destination.
    #[must_use]
    pub fn message(&self, id: &str) -> Option<Message> {
        self.hub.inner().mailbox.view(id)
    }

    /// Sets what has become of a message, with the receipt that follows from it.
    ///
    /// # Errors
    /// When there is no such message, or it has ended already.
    pub fn set_state(&self, id: &str, state: State, error: Option<u8>) -> Result<Message, ControlError> {
        self.hub.force(id, state, error)?;
        self.message(id).ok_or_else(|| ControlError::unknown("message", id))
    }

    /// Sends a receipt now, whatever the message asks for.
    ///
    /// # Errors
    /// When there is no such message.
    pub fn send_receipt(&self, id: &str, receipt: &ReceiptNow) -> Result<Message, ControlError> {
        self.hub.send_receipt(id, receipt)?;
        self.message(id).ok_or_else(|| ControlError::unknown("message", id))
    }

    /// Forgets all messages, and the receipts that are due.
    pub fn forget_messages(&self) {
        self.hub.forget_messages();
    }

    /// Sends a mobile-originated message; gives what is known of its parts.
    ///
    /// # Errors
    /// With the field that cannot be.
    pub fn deliver(&self, mo: &Mo) -> Result<Vec<DeliveryInfo>, ControlError> {
        let numbers = self.hub.deliver(mo)?;
        Ok(numbers.into_iter().filter_map(|number| self.hub.delivery(number)).collect())
    }

    /// What became of a mobile-originated message's part.
    #[must_use]
    pub fn delivery(&self, id: u64) -> Option<DeliveryInfo> {
        self.hub.delivery(id)
    }

    /// Waits until these have been answered or given up; gives how far they are when the time is up.
    pub async fn wait_for_deliveries(&self, ids: &[u64], limit: Duration) -> Vec<DeliveryInfo> {
        let look = || ids.iter().filter_map(|id| self.delivery(*id)).collect::<Vec<_>>();
        let ended = |it: &DeliveryInfo| !matches!(it.state, DeliveryState::Waiting | DeliveryState::Sent);
        self.wait_until(limit, look, |deliveries| deliveries.iter().all(ended)).await
    }

    /// The rules, and how often each was followed.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleInfo> {
        self.hub.rules()
    }

    /// Puts these in the place of all rules.
    ///
    /// # Errors
    /// With the place in the list, the value and what is allowed.
    pub fn set_rules(&self, rules: Vec<Rule>) -> Result<(), ControlError> {
        rules::validate(&rules).map_err(ControlError::Refused)?;
        self.hub.set_rules(rules);
        Ok(())
    }

    /// Forgets messages, deliveries and PDUs, and begins anew with rules and chance.
    pub fn reset(&self, reset: Reset) {
        self.hub.reset(reset);
    }

    /// The PDUs that are kept, with numbers above `after`, oldest first; of one session, or all.
    #[must_use]
    pub fn pdus(&self, after: u64, session: Option<u64>, limit: usize) -> Vec<PduRecord> {
        self.hub.traffic.records(after, session, limit)
    }

    /// Follows the PDUs as they pass. Who is slow misses some.
    #[must_use]
    pub fn follow_pdus(&self) -> broadcast::Receiver<PduRecord> {
        self.hub.traffic.subscribe()
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.hub.stats()
    }

    /// Whether nothing will happen by itself: no message is to end, no receipt is due, no delivery waits for a session, its
    /// next try or an answer. A message that never ends does not count.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.hub.is_idle()
    }

    /// Dials an ESME and asks it to bind (§2.2.1); gives the connection's number.
    ///
    /// # Errors
    /// When nobody answers, or a field cannot be.
    pub async fn outbind(&self, dial: &Dial) -> Result<u64, ControlError> {
        let outbind = self.outbind_pdu(dial)?;
        let refused =
            |error: std::io::Error| ControlError::Refused(format!("cannot connect to {}: {error}", dial.address));
        let connecting = timeout(DIAL_TIMEOUT, TcpStream::connect(&dial.address)).await;
        let stream = connecting.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(refused)?;
        // Fails only when the peer has gone already: whoever reads will see it.
        let _ = stream.set_nodelay(true);
        self.outbind_over(stream, &dial.address, outbind, <TcpListener as Accept>::reset)
    }

    /// [`outbind`](Control::outbind) over a stream that is open already, as in a simulated network.
    ///
    /// # Errors
    /// When the simulator stops, or has too many connections.
    pub fn outbind_over<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: S,
        peer: &str,
        outbind: Outbind,
        reset: fn(&mut S),
    ) -> Result<u64, ControlError> {
        let refused = || ControlError::Refused("the simulator has no room for another connection".to_owned());
        let place = self.hub.open(peer.to_owned(), true).ok_or_else(refused)?;
        let number = place.0;
        let line = Line::new(stream, Some(Tap::new(Arc::clone(&self.hub.traffic), number, None, peer.parse().ok())));
        let peer = Peer::new(Arc::clone(&self.hub), place, line, reset);
        self.hub.adopt(Box::pin(peer.run_outbind(outbind)));
        Ok(number)
    }

    fn outbind_pdu(&self, dial: &Dial) -> Result<Outbind, ControlError> {
        let own = self.hub.config.system_id.text();
        let system_id = dial.system_id.as_deref().unwrap_or(&own);
        let wrong = |field: &'static str, words: String| ControlError::Field(FieldError::new(field, words));
        Ok(Outbind {
            system_id: system_id.parse().map_err(|error| wrong("system_id", format!("is {system_id:?}: {error}")))?,
            password: dial
                .password
                .parse()
                .map_err(|error| wrong("password", format!("is too long or has a NUL: {error}")))?,
        })
    }

    /// Unbinds all sessions and takes no more; [`serve`](crate::serve) returns once they have ended.
    pub fn stop(&self) {
        self.hub.stop();
    }

    /// Looks until what is seen is enough, or the time is up; gives what was seen last.
    async fn wait_until<T>(&self, limit: Duration, look: impl Fn() -> T, enough: impl Fn(&T) -> bool) -> T {
        let by = Instant::now() + limit.min(Duration::from_secs(3_600));
        loop {
            let mut changed = std::pin::pin!(self.hub.changed());
            changed.as_mut().enable();
            let seen = look();
            if enough(&seen) || timeout_at(by, changed).await.is_err() {
                return seen;
            }
            sleep(LOOK_DELAY).await;
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("seed", &self.hub.config.seed).finish_non_exhaustive()
    }
}

impl ControlError {
    pub(crate) fn unknown(what: &'static str, id: impl ToString) -> ControlError {
        ControlError::Unknown { what, id: id.to_string() }
    }
}
