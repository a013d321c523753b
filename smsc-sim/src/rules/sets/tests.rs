//! Guards that every set can be read, that the table of magic numbers says what the rules say, and that no two of those
//! numbers are met by one destination.

use std::collections::BTreeSet;

use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, MessageState};

use super::super::{Answer, Asked, Cut, Decision, Engine, Malformed, Party, Step};
use super::*;
use crate::policy::Outcome;
use crate::words::Status;

const TABLE: &str = include_str!("../../../MAGIC-NUMBERS.md");

#[test]
fn every_set_can_be_read_and_found() {
    let names: BTreeSet<_> = SETS.iter().map(|set| set.name).collect();
    assert_eq!(names.len(), SETS.len(), "no name twice");
    for set in SETS {
        let found = RuleSet::named(set.name).expect("it is listed");
        assert_eq!(found.yaml, set.yaml);
        assert_eq!(found.rules().is_empty(), set.name == "healthy");
        assert!(found.rules().iter().all(|rule| !rule.name.is_empty()), "{}: every rule says what it does", set.name);
        assert!(set.yaml.starts_with("# "), "{}: the file says what it does", set.name);
    }
    let error = RuleSet::named("healty").expect_err("there is no such set");
    assert_eq!(error, "\"healty\" is no set of rules; there are healthy, magic-numbers, flaky, throttling, slow, dead");
}

/// What each file under `sets` is must be in [`SETS`].
#[test]
fn every_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules/sets");
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").file_name());
    let yaml = files.filter_map(|file| Some(file.to_str()?.strip_suffix(".yaml")?.to_owned()));
    let listed: BTreeSet<_> = SETS.iter().map(|set| set.name.to_owned()).collect();
    assert_eq!(yaml.collect::<BTreeSet<_>>(), listed);
}

/// The numbers of the rules of `magic-numbers`, with what they do.
fn numbers() -> Vec<(String, Rule)> {
    let rules = RuleSet::named("magic-numbers").expect("it is listed").rules();
    let number = |rule: Rule| {
        let pattern = rule.when.to.clone().expect("every rule is for a destination").to_string();
        let digits = pattern.strip_suffix('$').expect("every pattern is an end").to_owned();
        assert!(digits.bytes().all(|octet| octet.is_ascii_digit()), "{pattern}");
        (digits, rule)
    };
    rules.into_iter().map(number).collect()
}

#[test]
fn the_table_says_what_the_rules_say() {
    let said: Vec<_> = TABLE.lines().filter(|line| line.starts_with("| `…")).map(str::to_owned).collect();
    let true_rows: Vec<_> =
        numbers().into_iter().map(|(digits, rule)| format!("| `…{digits}` | {} |", rule.name)).collect();
    assert_eq!(said, true_rows, "the table should be\n{}\n", true_rows.join("\n"));
}

struct Numbers(Engine);

impl Numbers {
    fn new() -> Numbers {
        Numbers(Engine::new(RuleSet::named("magic-numbers").expect("it is listed").rules(), Seed(1)))
    }

    fn decide(&mut self, to: &str) -> Option<Decision> {
        self.0.reset(Seed(1));
        let to = [Party::of(to)];
        let asked = Asked { to: &to, ..Asked::plain() };
        // Some are for every other message.
        self.0.first(&asked).or_else(|| self.0.first(&asked))
    }
}

#[test]
fn every_number_is_met_by_its_own_rule() {
    let mut rules = Numbers::new();
    for (place, (digits, _)) in numbers().iter().enumerate() {
        for before in ["", "2782", "666", "667", "66", "6"] {
            let decision = rules.decide(&format!("{before}{digits}")).expect(digits);
            assert_eq!(decision.rule, place, "{before}{digits}");
        }
    }
    for plain in ["27820001111", "8888", "66699", "667000", "666011", "27666020"] {
        assert!(rules.decide(plain).is_none(), "{plain}");
    }
}

#[test]
fn states_and_statuses_have_their_numbers() {
    let mut rules = Numbers::new();
    for state in MessageState::NAMED.iter().copied().filter(|state| (1..=8).contains(&state.0)) {
        let decision =
            rules.decide(&format!("2782666{:02}", state.0)).expect("every state of the standard has a number");
        assert_eq!(decision.then.policy.outcome, Some(Outcome::always(state)));
    }
    for status in CommandStatus::NAMED.iter().copied().filter(|status| (1..=255).contains(&status.0)) {
        let decision =
            rules.decide(&format!("2782667{:03}", status.0)).expect("every status of the standard has a number");
        assert_eq!(decision.then.status, Some(Status(status)));
    }
}

#[test]
fn every_fault_has_a_number() {
    let rules: Vec<_> = numbers().into_iter().map(|(_, rule)| rule.then).collect();
    let steps: Vec<_> = rules.iter().flat_map(|then| then.before.iter().chain(&then.after)).collect();
    for malformed in Malformed::ALL {
        assert!(steps.contains(&&Step::Malformed(malformed)), "{malformed:?}");
    }
    for answer in [
        Answer::Once,
        Answer::Twice,
        Answer::Never,
        Answer::Nack,
        Answer::WrongType,
        Answer::WrongNumber,
        Answer::Bare,
        Answer::WithBody,
    ] {
        assert!(rules.iter().any(|then| then.answer == answer), "{answer:?}");
    }
    for cut in [Cut::Close, Cut::Reset] {
        let step = Step::Disconnect(cut);
        assert!(rules.iter().any(|then| then.before.contains(&step)), "{cut:?} before");
        assert!(rules.iter().any(|then| then.after.contains(&step)), "{cut:?} after");
    }
}
