//! The wall clock steps while messages wait.

use super::*;

const DELIVERED: MessageState = MessageState::DELIVERED;
const HOUR: Duration = Duration::from_secs(3600);

/// The clock is set, forward or back.
#[derive(Clone, Copy, Debug)]
enum Set {
    Ahead,
    Back,
}

const BOTH: [Set; 2] = [Set::Ahead, Set::Back];

impl Given {
    fn set(&mut self, how: Set) {
        self.now.wall = match how {
            Set::Ahead => self.now.wall + HOUR,
            Set::Back => self.now.wall - HOUR,
        };
    }

    fn states(&self, numbers: std::ops::RangeInclusive<u64>) -> Vec<MessageState> {
        numbers.map(|number| self.state(number)).collect()
    }
}

fn scheduled(at: &str) -> Sm {
    Sm { schedule_delivery_time: text(at), ..sm(1) }
}

fn valid(until: &str) -> Sm {
    Sm { validity_period: text(until), ..sm(1) }
}

#[test]
fn what_waits_for_so_long_waits_for_as_long() {
    for how in BOTH {
        let mut given = Given::new();
        let never = given.life(MessageState::ENROUTE);
        given.submit(&sm(1), &Tlvs::new(), given.slow(10, DELIVERED));
        given.submit(&scheduled("000000000010000R"), &Tlvs::new(), given.life(DELIVERED));
        given.submit(&valid("000000000010000R"), &Tlvs::new(), never);
        let told_late = Life { receipt_delay: SECOND * 10, ..given.life(DELIVERED) };
        given.submit(&sm(1), &Tlvs::new(), told_late);
        // One that begins after the step, and would live longer than it is valid.
        let both = Sm { schedule_delivery_time: text("000000000005000R"), ..valid("000000000010000R") };
        given.submit(&both, &Tlvs::new(), given.slow(60, DELIVERED));
        given.wait(SECOND * 2);
        given.set(how);
        given.wait(SECOND * 7);
        let waiting = [MessageState::ENROUTE, MessageState::SCHEDULED, MessageState::ENROUTE];
        assert_eq!((given.states(1..=3), given.reported()), (waiting.to_vec(), vec![]), "{how:?}");
        given.wait(SECOND);
        let expired = MessageState::EXPIRED;
        assert_eq!(given.states(1..=5), [DELIVERED, DELIVERED, expired, DELIVERED, expired], "{how:?}");
        assert_eq!(given.reported().len(), 5, "{how:?}");
        assert_eq!(given.mailbox.poll_timeout(), None);
    }
}

#[test]
fn what_waits_for_a_time_of_day_follows_the_clock() {
    for (how, waits) in [(Set::Ahead, SECOND), (Set::Back, HOUR * 3)] {
        let mut given = Given::new();
        let never = given.life(MessageState::ENROUTE);
        // An hour or two from now.
        given.submit(&scheduled("260101010000000+"), &Tlvs::new(), given.life(DELIVERED));
        given.submit(&valid("260101010000000+"), &Tlvs::new(), never);
        given.submit(&scheduled("260101020000000+"), &Tlvs::new(), given.life(DELIVERED));
        given.wait(SECOND);
        given.set(how);
        given.wait(SECOND);
        let ends = [DELIVERED, MessageState::EXPIRED];
        let begins = [MessageState::SCHEDULED, MessageState::ENROUTE];
        let is_ahead = matches!(how, Set::Ahead);
        assert_eq!(given.states(1..=2), if is_ahead { ends } else { begins }, "{how:?}");
        assert_eq!(given.state(3), MessageState::SCHEDULED);
        if !is_ahead {
            given.wait(HOUR * 2 - SECOND * 3);
            assert_eq!(given.states(1..=2), begins, "an hour later than it was");
            given.wait(SECOND);
            assert_eq!(given.states(1..=2), ends);
        }
        given.wait(waits + HOUR);
        assert_eq!((given.state(3), given.mailbox.poll_timeout()), (DELIVERED, None), "{how:?}");
    }
}
