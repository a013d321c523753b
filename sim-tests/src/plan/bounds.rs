//! By when what a plan asks for must have come to rest.

use std::time::Duration;

use smpp_transport::service::EXPIRY_INTERVAL;

use super::{BusFaults, CONNECT_TIMEOUT_MS, FaultKind, LINGER_MS, Message, Plan, Timers, Transport};

impl Timers {
    /// The longest that a client can need from a healed network to a bound session: a connect that hangs, a dead session
    /// that is found, a bind that is not answered, each followed by the longest wait.
    #[must_use]
    pub fn rebind_bound(&self) -> Duration {
        let found = self.enquire_link_interval_ms + self.response_timeout_ms;
        let bind = self.session_init_timeout_ms.max(self.response_timeout_ms) + LINGER_MS;
        Duration::from_millis(found + 2 * (CONNECT_TIMEOUT_MS + bind + self.backoff_max_ms) + 2_000)
    }
}

impl Plan {
    /// When the last thing that the plan asks for has begun or ended.
    #[must_use]
    pub fn last_event(&self) -> Duration {
        let messages = self.clients.iter().flat_map(|client| client.messages.iter().map(|message| message.at_ms));
        let texts = self.transports.iter().flat_map(Transport::times);
        let faults = self.faults.iter().map(|fault| fault.at_ms + fault.for_ms);
        Duration::from_millis(messages.chain(texts).chain(faults).max().unwrap_or(0))
    }

    /// When nothing goes wrong by chance any more, if that is ever so.
    #[must_use]
    pub fn peace(&self) -> Option<Duration> {
        self.peace_after_ms.map(|ms| self.last_event() + Duration::from_millis(ms))
    }

    /// By when everything must have come to rest. Everything that is waited for has a limit; this is their sum, with the
    /// faults that go on to the end (the SMSC's and the wire's, where there is no peace) counted for what they can hold up.
    #[must_use]
    pub fn rest_by(&self) -> Duration {
        let (begin, waits) = match self.peace() {
            Some(peace) => (peace, self.waits_in_peace()),
            None => (self.last_event(), self.waits_in_trouble()),
        };
        begin + waits + self.held_max()
    }

    /// How long what transports hold back may still be due at the end of all else. Whose clock was wrong may look for it only
    /// when it looks anyway.
    #[must_use]
    pub fn held_max(&self) -> Duration {
        let held = self.transports.iter().map(Transport::held_max).max().unwrap_or_default();
        let was_wrong = self.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ClockStep(..)));
        held + if was_wrong { EXPIRY_INTERVAL } else { Duration::ZERO }
    }

    /// Where all that is asked is answered, and truly: what was begun before is done, and each message goes once.
    fn waits_in_peace(&self) -> Duration {
        let each = self.timers.response_timeout_ms + 20 * self.latency_ms;
        let transports = self.transports.iter().map(Transport::waits_in_peace_max_ms).max().unwrap_or(0);
        let waits = self.turns_max() * each + self.smsc.slowness_max_ms() + self.stalls_max_ms() + transports;
        Duration::from_millis(waits + self.deliveries_in_peace_max_ms() + self.waits_of_any_ms())
            + self.timers.rebind_bound() * self.rebinds_max(3)
    }

    /// Where things go wrong to the end.
    fn waits_in_trouble(&self) -> Duration {
        let each = self.timers.response_timeout_ms + self.smsc.slowness_max_ms() + 20 * self.latency_ms;
        let late = self.smsc.response_delay_max_ms() >= self.timers.response_timeout_ms;
        let unanswered = (late || !self.smsc.is_honest()).then_some(each);
        let transports = self.transports.iter().map(|it| it.waits_max_ms(unanswered)).max().unwrap_or(0);
        let broken = self.smsc.ends_sessions() || self.wire.is_cutting();
        let waits = self.turns_max() * (each + self.stalls_max_ms()) + self.smsc.refuses_binds_until_ms() + transports;
        Duration::from_millis(waits + self.deliveries_max_ms() + self.waits_of_any_ms())
            + self.timers.rebind_bound() * self.rebinds_max(if broken { self.submits_max() + 3 } else { 3 })
    }

    /// What must be waited for in any case.
    fn waits_of_any_ms(&self) -> u64 {
        let slow = self.faults.iter().map(|fault| match fault.kind {
            FaultKind::Slow(ms) | FaultKind::StoreSlow(_, ms) => ms,
            _ => 0,
        });
        2 * slow.max().unwrap_or(0) + self.life_max_ms() + self.smsc.receipt_delay_max_ms() + 30_000
    }

    /// How many submits the messages of one owner need at most.
    fn submits_max(&self) -> u64 {
        self.owners().map(|owner| self.submits(owner) as u64).max().unwrap_or(0)
    }

    /// How often a window is filled with them at most.
    fn turns_max(&self) -> u64 {
        let window = self.owners().map(|owner| self.window(owner)).min().unwrap_or(1).max(1) as u64;
        self.submits_max() / window + 4
    }

    fn stalls_max_ms(&self) -> u64 {
        self.wire.esme.stall_ms + self.wire.smsc.stall_ms
    }

    /// How often anybody must bind anew, where each does so as often.
    fn rebinds_max(&self, each: u64) -> u32 {
        u32::try_from(each * (self.owners().len().max(1) * self.smscs) as u64).unwrap_or(u32::MAX)
    }

    /// The longest that a link can need from the end of a connection to one of its next, where of so many SMSCs one is well:
    /// each of the others is tried once.
    #[must_use]
    pub fn round_bound(&self, hosts: usize) -> Duration {
        // Whoever is refused waits for as long again.
        let each = CONNECT_TIMEOUT_MS + LINGER_MS + 2 * self.timers.backoff_max_ms;
        Duration::from_millis(each * hosts as u64 + 5 * self.latency_ms)
    }

    /// The longest that times of messages' own put off their end.
    fn life_max_ms(&self) -> u64 {
        let messages = self.clients.iter().flat_map(|client| &client.messages);
        let asked = |message: &Message| {
            message
                .query_after_ms
                .unwrap_or(0)
                .max(message.cancel_after_ms.unwrap_or(0))
                .max(1_000 * message.schedule_s)
        };
        messages.map(asked).max().unwrap_or(0)
    }

    /// The longest that it takes to deliver everything, each offered as often as may be.
    #[must_use]
    pub fn deliveries_max_ms(&self) -> u64 {
        let is_cut = !self.faults.is_empty() || self.smsc.ends_sessions() || self.wire.is_cutting();
        let stores = |transport: &Transport| transport.bus == BusFaults::default();
        self.deliveries_ms(!is_cut && self.transports.iter().all(stores))
    }

    /// The same in peace: what was offered before it may have to be offered again.
    fn deliveries_in_peace_max_ms(&self) -> u64 {
        self.deliveries_ms(true) + 2 * self.retry_ms()
    }

    /// `is_well` says that whatever an ESME takes it takes when it is first offered.
    fn deliveries_ms(&self, is_well: bool) -> u64 {
        let messages: usize = self.owners().map(|owner| self.submits(owner)).sum();
        let deliveries = messages * (2 + usize::from(self.smsc.policy.receipt.times.unwrap_or(1)));
        let turns = (deliveries / self.smsc.window() + 2) as u64;
        let answer_delay_ms = self.owners().map(|owner| self.answer_delay_ms(owner)).max().unwrap_or(0);
        let answered_ms = self.timers.response_timeout_ms.min(answer_delay_ms + 1_000);
        if is_well && self.clients.iter().all(|client| client.refuse_for_now == 0.0) {
            return turns * answered_ms;
        }
        let retry_ms = self.retry_ms();
        turns * (retry_ms + answered_ms) * u64::from(self.smsc.retry.attempts_max.min(10)) + retry_ms
    }

    fn retry_ms(&self) -> u64 {
        u64::try_from(self.smsc.retry.delay.0.as_millis()).unwrap_or(u64::MAX)
    }
}
