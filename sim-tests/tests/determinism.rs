//! Guards the promise that everything else stands on: the same seed, the same history, whatever ran before it.

use sim_tests::plan::Plan;
use sim_tests::runner::judge;
use sim_tests::world::Tier;

fn assert_equal_again(seed: u64, tier: Tier) {
    let plan = Plan::draw(seed, None);
    let (first, again) = (judge(&plan, tier).1, judge(&plan, tier).1);
    let differing = first.facts.iter().zip(&again.facts).position(|(one, other)| one != other);
    if let Some(at) = differing {
        panic!("seed {seed} {tier:?}, fact {at}:\n{}\n{}", first.facts[at].line(), again.facts[at].line());
    }
    assert_eq!(first.facts.len(), again.facts.len(), "seed {seed} {tier:?}");
}

#[test]
fn a_seed_run_again_in_the_same_process_gives_the_same_history_on_turmoil() {
    (0..30).for_each(|seed| assert_equal_again(seed, Tier::Turmoil));
}

#[test]
fn a_seed_run_again_in_the_same_process_gives_the_same_history_on_the_fast_tier() {
    (0..100).for_each(|seed| assert_equal_again(seed, Tier::Fast));
}
