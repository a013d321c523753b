//! By when what a plan asks for must have come to rest.

use std::time::Duration;

use super::{
    BusFaults, CONNECT_TIMEOUT_MS, Client, FaultKind, LINGER_MS, Message, Plan, SMSC_WINDOW, Timers, Transport,
};

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

    /// By when everything must have come to rest. Everything that is waited for has a limit; this is their sum, with the
    /// faults that go on to the end (the SMSC's and the wire's) counted for what they can hold up.
    #[must_use]
    pub fn rest_by(&self) -> Duration {
        let messages = self.owners().map(|owner| self.submits(owner) as u64).max().unwrap_or(0);
        let window = self.owners().map(|owner| self.window(owner)).min().unwrap_or(1).max(1) as u64;
        let each = self.timers.response_timeout_ms + self.smsc.slowness_max_ms() + 20 * self.latency_ms;
        let late = self.smsc.response_delay_max_ms() >= self.timers.response_timeout_ms;
        let unanswered = (late || !self.smsc.is_honest()).then_some(each);
        let stalls = self.wire.esme.stall_ms + self.wire.smsc.stall_ms;
        let broken = self.smsc.ends_sessions() || self.wire.is_cutting();
        let rebinds = if broken { messages + 3 } else { 3 } * (self.owners().len().max(1) * self.smscs) as u64;
        let slow = self.faults.iter().map(|fault| match fault.kind {
            FaultKind::Slow(ms) | FaultKind::StoreSlow(_, ms) => ms,
            _ => 0,
        });
        let waits = Duration::from_millis(
            (messages / window + 4) * (each + stalls)
                + 2 * slow.max().unwrap_or(0)
                + self.life_max_ms()
                + self.smsc.receipt_delay_max_ms()
                + self.smsc.refuses_binds_until_ms()
                + self.deliveries_max_ms()
                + self.transports.iter().map(|it| it.waits_max_ms(unanswered)).max().unwrap_or(0)
                + 30_000,
        );
        let rebind = u32::try_from(rebinds).unwrap_or(u32::MAX);
        self.last_event() + waits + self.timers.rebind_bound() * rebind
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
        let messages: usize = self.owners().map(|owner| self.submits(owner)).sum();
        let deliveries = messages * (2 + usize::from(self.smsc.policy.receipt.times.unwrap_or(1)));
        let turns = (deliveries / SMSC_WINDOW + 2) as u64;
        let answer_delay_ms = self.owners().map(|owner| self.answer_delay_ms(owner)).max().unwrap_or(0);
        let retry_ms = u64::try_from(self.smsc.retry.delay.0.as_millis()).unwrap_or(u64::MAX);
        let answered_ms = self.timers.response_timeout_ms.min(answer_delay_ms + 1_000);
        if self.takes_all_at_once() {
            return turns * answered_ms;
        }
        turns * (retry_ms + answered_ms) * u64::from(self.smsc.retry.attempts_max.min(10)) + retry_ms
    }

    /// Whether whatever is delivered is taken when it is first offered.
    fn takes_all_at_once(&self) -> bool {
        let is_cut = !self.faults.is_empty() || self.smsc.ends_sessions() || self.wire.is_cutting();
        let takes = |client: &Client| client.refuse_for_now == 0.0;
        let stores = |transport: &Transport| transport.bus == BusFaults::default();
        !is_cut && self.clients.iter().all(takes) && self.transports.iter().all(stores)
    }
}
