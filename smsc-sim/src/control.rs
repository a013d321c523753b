//! All that can be done to a simulator while it runs, and all that can be seen of it. The HTTP API is made of this, and
//! can do no more.

mod dial;
mod pdus;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::env::WallClock;
use thiserror::Error;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::config::{Config, PASSWORD_OCTETS_LENIENT};
use crate::hub::{AccountInfo, DeliveryInfo, DeliveryState, Hub, Order, RuleInfo, SessionInfo, Stats};
use crate::message::{Filter, Message};
use crate::mo::{FieldError, Mo};
use crate::policy::{Policy, ReceiptPolicy};
use crate::rules::{self, Alert, Rule, Step};
use crate::traffic::Traffic;
use crate::words::{Bind, State};

pub use dial::Dial;
pub use pdus::PduFilter;

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
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Reset {
    /// Whether sessions are closed. Default: they stay.
    pub sessions: bool,
    /// Whether the rules stay as they are, with their counts. Default: back to those of the start.
    pub keep_rules: bool,
    /// From which chance is drawn from now on. Default: the seed of the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A receipt to send now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// An alert_notification to send now (§4.12).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertNow {
    /// The subscriber, at most 64 characters.
    pub from: String,
    /// ms_availability_status (§5.3.2.30): 0 available, 1 denied, 2 unavailable. Default: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
    /// The account whose session gets it. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The session that gets it, by its number. Default: the oldest of the account that receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
}

/// The longest that anybody waits here.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// How long waiters sleep before they look again, so that many changes are looked at once.
const LOOK_DELAY: Duration = Duration::from_millis(2);
/// How many times as long as they looked.
const LOOK_SHARE: u32 = 20;

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
        if !(1..=PASSWORD_OCTETS_LENIENT).contains(&config.limits.password_max) {
            let max = config.limits.password_max;
            return Err(format!("limits.password_max is {max}: 1 to {PASSWORD_OCTETS_LENIENT} is allowed"));
        }
        for (place, account) in config.accounts.iter().enumerate() {
            account.check_with(config.password_max()).map_err(|words| format!("accounts[{place}]: {words}"))?;
            let same = config.accounts[..place].iter().position(|other| other.system_id == account.system_id);
            if let Some(same) = same {
                let name = &account.system_id;
                return Err(format!("accounts[{place}]: system_id {name:?} is that of accounts[{same}] too"));
            }
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

    /// Who may bind.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountInfo> {
        self.hub.accounts()
    }

    /// Does something to a connection: unbinds, cuts, silences it, sends octets.
    ///
    /// # Errors
    /// When there is no such connection, or the step has a field that cannot be.
    pub fn act(&self, session: u64, step: Step) -> Result<(), ControlError> {
        step.validate().map_err(FieldError::of_words)?;
        if self.hub.tell(session, Order::Step(step)) { Ok(()) } else { Err(ControlError::unknown("session", session)) }
    }

    /// Does several things to a connection, in their order; none if one of them cannot be.
    ///
    /// # Errors
    /// As [`act`](Control::act).
    pub fn act_all(&self, session: u64, steps: Vec<Step>) -> Result<(), ControlError> {
        for (place, step) in steps.iter().enumerate() {
            step.validate().map_err(|words| FieldError::of_words(format!("[{place}].{words}")))?;
        }
        let unknown = || ControlError::unknown("session", session);
        self.session(session).ok_or_else(unknown)?;
        steps
            .into_iter()
            .try_for_each(|step| self.hub.tell(session, Order::Step(step)).then_some(()).ok_or_else(unknown))
    }

    /// Sends an alert_notification.
    ///
    /// # Errors
    /// When a field cannot be, or nobody is bound who may have it.
    pub fn alert(&self, alert: AlertNow) -> Result<(), ControlError> {
        let AlertNow { from, status, account, session } = alert;
        let may_have = |it: &SessionInfo| {
            matches!(it.bind, Some(Bind::Receiver | Bind::Transceiver))
                && session.is_none_or(|session| it.id == session)
                && account.as_ref().is_none_or(|account| it.system_id.as_ref() == Some(account))
        };
        let step = Step::Alert(Alert { from, status });
        step.validate().map_err(|words| FieldError::of_words(words.trim_start_matches("alert.").to_owned()))?;
        let receiver = self.sessions().into_iter().find(may_have);
        let nobody = || ControlError::Refused("no session that may have it is bound to receive".to_owned());
        self.act(receiver.ok_or_else(nobody)?.id, step)
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
    /// When there is no such message, or a field cannot be.
    pub fn send_receipt(&self, id: &str, receipt: &ReceiptNow) -> Result<Message, ControlError> {
        let policy = Policy { receipt: receipt.receipt.clone(), ..Policy::default() };
        policy.validate().map_err(FieldError::of_words)?;
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
        rules::validate(&rules).map_err(FieldError::of_words)?;
        self.hub.set_rules(rules);
        Ok(())
    }

    /// Puts a rule before all others. As with [`set_rules`](Control::set_rules) all counts begin anew.
    ///
    /// # Errors
    /// With the field, its value and what is allowed.
    pub fn add_rule(&self, rule: Rule) -> Result<(), ControlError> {
        rule.validate().map_err(FieldError::of_words)?;
        self.hub.add_rule(rule);
        Ok(())
    }

    /// Forgets messages, deliveries and PDUs, and begins anew with rules and chance.
    pub fn reset(&self, reset: Reset) {
        self.hub.reset(reset);
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

    /// As [`is_idle`](Control::is_idle), but what is for these accounts may wait for a session to be bound.
    #[must_use]
    pub fn is_idle_but_for(&self, may_wait: impl Fn(&str) -> bool) -> bool {
        self.hub.is_idle_but_for(may_wait)
    }

    /// How many deliveries for this account wait for a session to be bound that may have them.
    #[must_use]
    pub fn held(&self, system_id: &str) -> usize {
        self.hub.held(system_id)
    }

    /// Unbinds all sessions and takes no more; [`serve`](crate::serve) returns once they have ended.
    pub fn stop(&self) {
        self.hub.stop();
    }

    /// Looks until what is seen is enough, the time is up, or the simulator has ended; gives what was seen last.
    async fn wait_until<T>(&self, limit: Duration, look: impl Fn() -> T, enough: impl Fn(&T) -> bool) -> T {
        let by = Instant::now() + limit.min(WAIT_MAX);
        loop {
            let mut changed = std::pin::pin!(self.hub.changed());
            changed.as_mut().enable();
            let looked_at = Instant::now();
            let seen = look();
            let took = looked_at.elapsed();
            if enough(&seen) || self.hub.has_ended() || timeout_at(by, changed).await.is_err() {
                return seen;
            }
            // Looking through many messages holds everybody up: most of the time is for the sessions.
            sleep_until(by.min(Instant::now() + LOOK_DELAY.max(LOOK_SHARE * took))).await;
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
