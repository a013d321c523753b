//! What the SMSC does in a run: drawn in families, each from a stream of its own.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, MessageState};
use smsc_sim::policy::{Carrier, IdForm, Outcome, Policy, ReceiptForm, ReceiptPolicy, Retry, Which};
use smsc_sim::rules::{Answer, Cut, Direction, Operation, Pace, Silence, Step, Then, When};
use smsc_sim::time::{Delay, Time};
use smsc_sim::words::{AnyOf, Status};
use smsc_sim::{Mo, Rule};

use super::{Profile, SMSC_WINDOW, Smsc, Switch, Timers, binds, clockwork, malformed, sequence_start};
use crate::app::source;

/// How long an answer lets others pass it.
const BEHIND_MAX_MS: u64 = 1_000;

impl Smsc {
    pub(super) fn draw(streams: Seed, profile: Profile, timers: &Timers) -> Smsc {
        let mut switch = Switch::new(streams, "smsc", profile);
        // Half of the slow simulators are slower than the clients wait: their responses come late.
        let delay = switch.delay(timers.response_timeout_ms * 2);
        let mut rules = wrong_answers(&mut switch);
        let receipt_delay = switch.delay(2_000);
        let undelivered = switch.chance(0.5);
        rules.extend(other_answers(&mut Switch::new(streams, "smsc answers", profile)));
        rules.extend(bursts(&mut Switch::new(streams, "smsc bursts", profile)));
        rules.extend(deeds(&mut Switch::new(streams, "smsc deeds", profile)));
        rules.iter_mut().for_each(|rule| rule.then.delay = delay.clone());
        rules.extend(out_of_order(&mut Switch::new(streams, "smsc order", profile)));
        rules.extend(binds::rules(&mut Switch::new(streams, "smsc binds", profile)));
        rules.extend(malformed::rules(&mut Switch::new(streams, "smsc malformed", profile)));
        rules.extend(clockwork::rules(streams, profile));
        if !delay.is_none() {
            rules.push(Rule { then: Then { delay, ..Then::default() }, ..Rule::default() });
        }
        let mut policy = lives(&mut Switch::new(streams, "smsc lives", profile), undelivered);
        policy.receipt = receipts(&mut Switch::new(streams, "smsc receipts", profile), receipt_delay);
        let retry = retry(&mut Switch::new(streams, "smsc retry", profile));
        let mut rng = streams.stream("smsc session", 0);
        let window = [None, Some(1), Some(2), Some(10), Some(100)].choose(&mut rng).copied().flatten();
        let sequence_start = Some(sequence_start(&mut rng)).filter(|first| *first != 1);
        Smsc { rules, policy, retry, window, sequence_start }
    }

    /// Requests of its that may be outstanding on a session.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window.unwrap_or(SMSC_WINDOW)
    }

    /// Whether everything is answered once, and truly.
    pub(super) fn is_honest(&self) -> bool {
        let once = |rule: &Rule| matches!(rule.then.answer, Answer::Once | Answer::Bare | Answer::WithBody);
        self.rules.iter().all(|rule| once(rule) && rule.then.before.is_empty())
    }

    /// Whether what it accepts is answered whole.
    #[must_use]
    pub fn answers_whole(&self) -> bool {
        let is_shaped = self.policy.response.shape.is_some();
        self.is_honest() && !is_shaped && !self.rules.iter().any(|rule| rule.then.answer == Answer::Bare)
    }

    /// Whether it reads and writes at once.
    #[must_use]
    pub fn is_punctual(&self) -> bool {
        !self.steps().any(|step| matches!(step, Step::Silence(_) | Step::Pace(_) | Step::Stall(_)))
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.rules.iter().flat_map(|rule| rule.then.before.iter().chain(&rule.then.after))
    }

    /// The longest that a response takes.
    #[must_use]
    pub fn response_delay_max_ms(&self) -> u64 {
        let longest = self.rules.iter().map(|rule| rule.then.delay.max()).max().unwrap_or_default();
        let behind = if self.rules.iter().any(|rule| rule.then.behind > 0) { BEHIND_MAX_MS } else { 0 };
        ms(longest).max(behind)
    }

    /// The longest that the SMSC holds up a session.
    #[must_use]
    pub fn slowness_max_ms(&self) -> u64 {
        let held = self.steps().map(|step| match step {
            Step::Silence(Silence::For(time)) => ms(time.0),
            Step::Stall(stall) => [stall.reads, stall.writes]
                .into_iter()
                .flatten()
                .map(|silence| if let Silence::For(time) = silence { ms(time.0) } else { 0 })
                .sum(),
            // A frame of 9,000 octets and then some.
            Step::Pace(pace) => ms(pace.pause.0) * (20_000 / pace.octets.max(1) as u64),
            _ => 0,
        });
        self.response_delay_max_ms() + held.sum::<u64>()
    }

    /// The longest from a state to its receipt.
    #[must_use]
    pub fn told_after_max(&self) -> Duration {
        self.policy.receipt.delay.as_ref().map_or(Duration::ZERO, Delay::max)
    }

    /// The longest from a message's acceptance to its receipt.
    pub(super) fn receipt_delay_max_ms(&self) -> u64 {
        ms(self.policy.enroute.as_ref().map_or(Duration::ZERO, Delay::max) + self.told_after_max())
    }

    /// Whether it hangs up or unbinds, or is silent so long that others do.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        let ends = |step: &Step| {
            matches!(step, Step::Unbind | Step::Disconnect(_) | Step::Silence(_) | Step::Pace(_) | Step::Stall(_))
        };
        self.steps().any(ends) || self.breaks_framing()
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// By chance, of messages, this.
fn by_chance(chance: f64, then: Then) -> Option<Rule> {
    let when = When { chance: Some(chance), ..When::default() };
    (chance > 0.0).then(|| Rule { when, then, ..Rule::default() })
}

fn answered(answer: Answer) -> Then {
    Then { answer, ..Then::default() }
}

fn before(step: Step) -> Then {
    Then { before: vec![step], ..Then::default() }
}

fn after(step: Step) -> Then {
    Then { after: vec![step], ..Then::default() }
}

fn refused(status: CommandStatus) -> Then {
    Then { status: Some(Status(status)), ..Then::default() }
}

fn wrong_answers<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let mut rule = |max: f64, then: Then| by_chance(switch.chance(max), then);
    [
        rule(0.1, answered(Answer::Never)),
        rule(0.3, answered(Answer::Twice)),
        rule(0.2, before(Step::UnknownResponse)),
        rule(0.2, before(Step::WrongResponse)),
        rule(0.2, refused(CommandStatus::ESME_RTHROTTLED)),
        rule(0.1, answered(Answer::Nack)),
        rule(0.03, before(Step::Disconnect(Cut::Close))),
        rule(0.03, after(Step::Unbind)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn other_answers<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let mut rule = |max: f64, then: Then| by_chance(switch.chance(max), then);
    [
        rule(0.05, answered(Answer::WrongType)),
        rule(0.05, answered(Answer::WrongNumber)),
        rule(0.1, answered(Answer::Bare)),
        rule(0.1, Then { answer: Answer::WithBody, ..refused(CommandStatus::ESME_RSUBMITFAIL) }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Refusals of many in a row.
fn bursts<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let (skipped, first, every) =
        (switch.rng.random_range(0..20), switch.rng.random_range(1..8), switch.rng.random_range(2..6));
    let in_a_row = When { after: skipped, first: Some(first), ..When::default() };
    let now_and_then = When { every, ..When::default() };
    let fast = When { above_rate: Some(switch.rng.random_range(5.0_f64..40.0).round()), ..When::default() };
    let full = When { above_pending: Some(switch.rng.random_range(1..15)), ..When::default() };
    [
        (in_a_row, CommandStatus::ESME_RSYSERR),
        (now_and_then, CommandStatus::ESME_RSUBMITFAIL),
        (fast, CommandStatus::ESME_RTHROTTLED),
        (full, CommandStatus::ESME_RMSGQFUL),
    ]
    .into_iter()
    .filter_map(|rule| switch.one_of(&[rule]))
    .map(|(when, status)| Rule { when, then: refused(status), ..Rule::default() })
    .collect()
}

/// What is done to sessions, and messages for them.
fn deeds<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let silence = Silence::For(Time::ms(switch.rng.random_range(50..3_000)));
    let (octets, pause) = (switch.rng.random_range(30..400), Time::ms(switch.rng.random_range(1..8)));
    let pace = Pace { octets, pause, of: Direction::Both };
    let client = switch.rng.random_range(0..3);
    let mo = Mo {
        from: "2899".to_owned(),
        to: source(client),
        text: Some("from a handset".to_owned()),
        count: switch.rng.random_range(1..4),
        data_sm: switch.rng.random_bool(0.3),
        ..Mo::default()
    };
    let bound = When { operation: AnyOf(vec![Operation::Bind]), ..When::default() };
    let paced = switch.one_of(&[after(Step::Pace(pace))]);
    let paced = paced.map(|then| Rule { when: When { every: 2, ..bound }, then, ..Rule::default() });
    let mut rule = |max: f64, then: Then| by_chance(switch.chance(max), then);
    [
        rule(0.02, after(Step::Silence(silence))),
        rule(0.02, after(Step::Disconnect(Cut::Reset))),
        rule(0.15, after(Step::Deliver(Box::new(mo)))),
        paced,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Answers that let others pass, and answers of which few are slow.
fn out_of_order<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let behind = switch.rng.random_range(1..4);
    let slow = switch.rng.random_range(50..1_500);
    let mixed = Delay::Mix(vec![(80.0, Delay::ms(slow / 50)), (20.0, Delay::ms(slow))]);
    [
        by_chance(switch.chance(0.3), Then { behind, ..Then::default() }),
        by_chance(switch.chance(0.5), Then { delay: mixed, ..Then::default() }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// States that a message may end in, but for the two that most do.
const RARE: [MessageState; 5] = [
    MessageState::EXPIRED,
    MessageState::DELETED,
    MessageState::ACCEPTED,
    MessageState::UNKNOWN,
    MessageState::REJECTED,
];

fn lives<R: Rng>(switch: &mut Switch<R>, undelivered: f64) -> Policy {
    let enroute = switch.delay(3_000);
    let rare = RARE.map(|state| (state, switch.chance(0.1)));
    let others = rare.iter().map(|(_, chance)| chance).sum::<f64>() + undelivered;
    let delivered = (((1.0 - others).max(0.1)) * 1000.0).round() / 1000.0;
    let common = [(MessageState::DELIVERED, delivered), (MessageState::UNDELIVERABLE, undelivered)];
    let weights = common.into_iter().chain(rare).filter(|(_, chance)| *chance > 0.0);
    Policy {
        outcome: (others > 0.0).then(|| Outcome::weighted(weights).expect("one is above 0")),
        enroute: (!enroute.is_none()).then_some(enroute),
        message_id: switch.one_of(&IDS),
        ..Policy::default()
    }
}

const IDS: [IdForm; 5] =
    [IdForm::DecimalPadded, IdForm::Hexadecimal, IdForm::HexadecimalPadded, IdForm::HexadecimalUpper, IdForm::Uuid];

fn receipts<R: Rng>(switch: &mut Switch<R>, delay: Delay) -> ReceiptPolicy {
    ReceiptPolicy {
        delay: (!delay.is_none()).then_some(delay),
        times: switch.one_of(&[2]),
        message_id: switch.one_of(&IDS),
        form: switch.one_of(&[ReceiptForm::Text, ReceiptForm::Tlvs]),
        carrier: switch.one_of(&[Carrier::Payload, Carrier::DataSm]),
        session: switch.one_of(&[Which::Any, Which::Other]),
        before_response: switch.one_of(&[true]),
        ..ReceiptPolicy::default()
    }
}

fn retry<R: Rng>(switch: &mut Switch<R>) -> Retry {
    let (delay, attempts_max) = (switch.rng.random_range(100..2_000), switch.rng.random_range(2..9));
    let retry = Retry { delay: Time::ms(delay), attempts_max };
    switch.one_of(&[retry]).unwrap_or(Retry { delay: Time::ms(1_000), attempts_max: 5 })
}
