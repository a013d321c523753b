//! Any operations in any order over time: states only move forward, receipts are exactly those that are owed, nothing
//! grows beyond its bound, and timers are never in the past.

use std::collections::BTreeMap;

use proptest::prelude::*;
use smpp_transport::pdu::{CancelSm, QuerySm, ReplaceSm};

use super::*;
use crate::message::course::rank;
use crate::message::{Change, Outcome, Times};
use crate::policy::{IdForm, ReceiptPolicy, Sent};

const MESSAGES_MAX: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Submit { asked: u8, life: AnyLife, schedule: Option<u64>, validity: Option<u64>, to: u8, replaces: bool },
    Wait(u64),
    TickLate(u64),
    Cancel { message: usize, by_id: bool },
    Replace { message: usize, asked: u8 },
    Force { message: usize, state: u8 },
    Answer { message: usize, outcome: Outcome },
    Restart,
}

#[derive(Clone, Debug)]
struct AnyLife {
    outcome: u8,
    enroute: u64,
    receipt_delay: u64,
    sent: Sent,
    times: u8,
    id_form: IdForm,
}

/// Most things take no time; others take tenths of a second, so that many come together.
fn tenths() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..8_u64]
}

fn life() -> impl Strategy<Value = AnyLife> {
    let sent = prop_oneof![3 => Just(Sent::Asked), 1 => Just(Sent::Always), 1 => Just(Sent::Never)];
    let form = prop_oneof![Just(IdForm::Decimal), Just(IdForm::Hexadecimal), Just(IdForm::Uuid)];
    (1..9_u8, tenths(), tenths(), sent, 0..3_u8, form).prop_map(
        |(outcome, enroute, receipt_delay, sent, times, id_form)| AnyLife {
            outcome,
            enroute,
            receipt_delay,
            sent,
            times,
            id_form,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let asked = prop_oneof![0..4_u8, 0x10..0x14_u8];
    let maybe = || proptest::option::weighted(0.3, 0..10_u64);
    let submit = (asked.clone(), life(), maybe(), maybe(), 0..2_u8, proptest::bool::weighted(0.3));
    prop_oneof![
        6 => submit.prop_map(|(asked, life, schedule, validity, to, replaces)| {
            Step::Submit { asked, life, schedule, validity, to, replaces }
        }),
        3 => (0..6_u64).prop_map(Step::Wait),
        1 => (0..30_u64).prop_map(Step::TickLate),
        1 => (0..MESSAGES_MAX, any::<bool>()).prop_map(|(message, by_id)| Step::Cancel { message, by_id }),
        1 => (0..MESSAGES_MAX, asked).prop_map(|(message, asked)| Step::Replace { message, asked }),
        1 => (0..MESSAGES_MAX, 0..11_u8).prop_map(|(message, state)| Step::Force { message, state }),
        1 => (0..MESSAGES_MAX, prop_oneof![Just(Outcome::Accepted), Just(Outcome::Refused), Just(Outcome::Waiting)])
            .prop_map(|(message, outcome)| Step::Answer { message, outcome }),
        1 => Just(Step::Restart),
    ]
}

/// What the test knows of a message without asking how it came about.
#[derive(Clone, Debug, Default)]
struct Seen {
    states: Vec<MessageState>,
    /// registered_delivery at each of those states: replace_sm changes it.
    owed: Vec<MessageState>,
    had: Vec<MessageState>,
}

struct Watch {
    given: Given,
    seen: BTreeMap<u64, Seen>,
    refused: usize,
}

impl Watch {
    fn new() -> Watch {
        let limits = Limits { messages_max: MESSAGES_MAX, ..Limits::default() };
        let mut given = Given::with(limits);
        given.mailbox.track_changes(true);
        Watch { given, seen: BTreeMap::new(), refused: 0 }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let now = self.given.now;
        match step {
            Step::Submit { asked, life, schedule, validity, to, replaces } => {
                self.submit(*asked, life, *schedule, *validity, *to, *replaces)?;
            }
            Step::Wait(tenths) => {
                for _ in 0..*tenths {
                    self.given.wait(TENTH);
                    self.look()?;
                }
            }
            Step::TickLate(tenths) => {
                let time = TENTH * u32::try_from(*tenths).expect("few");
                self.given.now = Now { mono: now.mono + time, wall: now.wall + time };
                self.given.mailbox.tick(self.given.now);
            }
            Step::Cancel { message, by_id } => self.cancel(*message, *by_id)?,
            Step::Replace { message, asked } => self.replace(*message, *asked),
            Step::Force { message, state } => {
                if let Some(number) = self.nth(*message) {
                    let (was, state) = (self.given.state(number), MessageState(*state));
                    let forced = self.given.mailbox.force(now, number, state, None);
                    prop_assert_eq!(forced.is_ok(), state.name().is_some() && rank(state) > rank(was));
                }
            }
            Step::Answer { message, outcome } => {
                let was_due =
                    |number: &u64| self.given.record(*number).receipts.first().is_some_and(|fate| fate.due <= now.wall);
                if let Some(number) = self.nth(*message).filter(was_due) {
                    self.given.mailbox.sent(now, number, 0, 1);
                    self.given.mailbox.ended(now, number, 0, *outcome, None);
                }
            }
            Step::Restart => self.restart()?,
        }
        self.look()
    }

    fn nth(&self, message: usize) -> Option<u64> {
        self.given.mailbox.iter().nth(message).map(|record| record.number)
    }

    fn submit(
        &mut self,
        asked: u8,
        life: &AnyLife,
        schedule: Option<u64>,
        validity: Option<u64>,
        to: u8,
        replaces: bool,
    ) -> Result<(), TestCaseError> {
        let given = &mut self.given;
        let at =
            |tenths: Option<u64>| tenths.map(|tenths| given.now.wall + TENTH * u32::try_from(tenths).expect("few"));
        let times = Times { scheduled: at(schedule), expires: at(validity), ..Times::default() };
        let receipt = ReceiptPolicy { sent: Some(life.sent), times: Some(life.times), ..ReceiptPolicy::default() };
        let life = Life {
            outcome: MessageState(life.outcome),
            enroute: TENTH * u32::try_from(life.enroute).expect("few"),
            error: 0,
            id_form: life.id_form.clone(),
            receipt: Arc::new(receipt),
            receipt_delay: TENTH * u32::try_from(life.receipt_delay).expect("few"),
            ..Life::plain(&Arc::default())
        };
        let sm = Sm { destination_addr: text(&to.to_string()), replace_if_present_flag: replaces.into(), ..sm(asked) };
        let submission = Submission::submit_sm(given.sender(), &sm, &Tlvs::new(), times);
        let over = given.mailbox.iter().filter(|record| record.state.is_final() && record.planned == 0).count();
        let room = given.mailbox.len() - over < MESSAGES_MAX;
        match given.mailbox.accept(given.now, submission, life) {
            Ok(accepted) => {
                let found: Vec<_> = given.mailbox.find(&accepted.id).collect();
                prop_assert_eq!(found, [accepted.number]);
                prop_assert_eq!(accepted.replaced, self.seen.contains_key(&accepted.number));
            }
            Err(CommandStatus::ESME_RMSGQFUL) => {
                prop_assert!(!room);
                self.refused += 1;
            }
            Err(status) => prop_assert_eq!(status, CommandStatus::ESME_RINVSUBREP),
        }
        Ok(())
    }

    fn cancel(&mut self, message: usize, by_id: bool) -> Result<(), TestCaseError> {
        let Some(number) = self.nth(message) else { return Ok(()) };
        let (record, sm) = (self.given.record(number), sm(0));
        let was_final = record.state.is_final();
        let cancel = CancelSm {
            message_id: if by_id { text(&record.id) } else { text("") },
            source_addr_ton: sm.source_addr_ton,
            source_addr_npi: sm.source_addr_npi,
            source_addr: sm.source_addr,
            dest_addr_ton: sm.dest_addr_ton,
            dest_addr_npi: sm.dest_addr_npi,
            destination_addr: text(&record.body.destination.text()),
            ..CancelSm::default()
        };
        let cancelled = self.given.mailbox.cancel(self.given.now, "esme", &cancel);
        if by_id || !was_final {
            prop_assert_eq!(cancelled.is_ok(), !was_final);
        }
        let query = QuerySm {
            message_id: text(&self.given.record(number).id),
            source_addr_ton: cancel.source_addr_ton,
            source_addr_npi: cancel.source_addr_npi,
            source_addr: cancel.source_addr,
        };
        let state = self.given.mailbox.query("esme", &query).map(|answer| answer.message_state);
        prop_assert_eq!(state, Ok(self.given.state(number)));
        Ok(())
    }

    fn replace(&mut self, message: usize, asked: u8) {
        let Some(number) = self.nth(message) else { return };
        let sm = sm(0);
        let replace = ReplaceSm {
            message_id: text(&self.given.record(number).id),
            source_addr_ton: sm.source_addr_ton,
            source_addr_npi: sm.source_addr_npi,
            source_addr: sm.source_addr,
            registered_delivery: RegisteredDelivery(asked),
            ..ReplaceSm::default()
        };
        let was_final = self.given.state(number).is_final();
        let replaced = self.given.mailbox.replace(self.given.now, "esme", &replace, Times::default());
        assert_eq!(replaced.is_ok(), !was_final);
    }

    /// A store has kept what it was told; what was handed out and never answered comes again.
    fn restart(&mut self) -> Result<(), TestCaseError> {
        self.look()?;
        let records: Vec<Record> = self.given.mailbox.iter().cloned().collect();
        for record in &records {
            let open = record.receipts.iter().filter(|fate| !fate.outcome.is_final());
            let again = open.filter(|fate| fate.due <= self.given.now.wall).map(|fate| fate.state);
            self.seen.entry(record.number).or_default().owed.extend(again);
        }
        let limits = Limits { messages_max: MESSAGES_MAX, ..Limits::default() };
        let mut next = Mailbox::new(limits, Seed(1));
        next.track_changes(true);
        next.restore(self.given.now, records);
        self.given.mailbox = next;
        Ok(())
    }

    /// What must hold after each step.
    fn look(&mut self) -> Result<(), TestCaseError> {
        for due in self.given.dues() {
            // It is handed out while its message is remembered, or was in this step.
            self.seen.entry(due.receipt.number).or_default().had.push(due.receipt.state);
        }
        for change in self.given.mailbox.take_changes() {
            let Change::Kept(record) = change else { continue };
            self.look_at(&record)?;
        }
        let next = self.given.mailbox.poll_timeout();
        prop_assert!(next.is_none_or(|at| at > self.given.now.mono), "{:?} at {:?}", next, self.given.now);
        let pending = self.given.mailbox.iter().filter(|record| !record.state.is_final()).count();
        prop_assert_eq!(self.given.mailbox.pending("esme"), pending);
        prop_assert!(self.given.mailbox.len() <= MESSAGES_MAX);
        Ok(())
    }

    fn look_at(&mut self, record: &Record) -> Result<(), TestCaseError> {
        let seen = self.seen.entry(record.number).or_default();
        let states: Vec<_> = record.history.iter().map(|(state, _)| *state).collect();
        prop_assert!(states.starts_with(&seen.states), "history is not rewritten: {:?}, {:?}", seen.states, states);
        prop_assert!(states.windows(2).all(|pair| rank(pair[0]) < rank(pair[1])), "{:?}", states);
        prop_assert!(record.history.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{:?}", record.history);
        prop_assert_eq!(states.last(), Some(&record.state));
        prop_assert_eq!(record.done.is_some(), record.state.is_final());
        // Written down anew from the standard's words, and not by the functions that are tested.
        let (policy, asked) = (&record.life.receipt, record.body.registered_delivery.0);
        for &state in &states[seen.states.len()..] {
            let wants = match (policy.sent, state) {
                (_, MessageState::SCHEDULED) | (Some(Sent::Never), _) => 0,
                (_, MessageState::ENROUTE) => u8::from(asked & 0x10 != 0),
                (Some(Sent::Always), _) => policy.times.unwrap_or(1),
                (_, MessageState::DELIVERED | MessageState::ACCEPTED) if asked & 3 != 1 => 0,
                _ if matches!(asked & 3, 0 | 3) => 0,
                _ => policy.times.unwrap_or(1),
            };
            seen.owed.extend((0..wants).map(|_| state));
        }
        seen.states = states;
        Ok(())
    }

    /// In the end everything has come that was owed, and nothing else.
    fn settle(&mut self) -> Result<(), TestCaseError> {
        self.given.wait(SECOND * 100);
        self.look()?;
        prop_assert_eq!(self.given.mailbox.poll_timeout(), None);
        for (number, seen) in &mut self.seen {
            seen.owed.sort_unstable();
            seen.had.sort_unstable();
            prop_assert_eq!(&seen.owed, &seen.had, "message {}", number);
        }
        Ok(())
    }
}

const TENTH: Duration = Duration::from_millis(100);

proptest! {
    #[test]
    fn whatever_happens_states_move_forward_and_receipts_are_those_owed(steps in prop::collection::vec(step(), 1..60)) {
        let mut watch = Watch::new();
        for step in &steps {
            watch.take(step)?;
        }
        watch.settle()?;
    }
}
