//! Guards that no promise is broken: a small sweep on both tiers, and the kept plans of `fixtures/seeds` on both.

use std::path::{Path, PathBuf};

use sim_tests::plan::{Feature, Plan};
use sim_tests::runner::{Sweep, judge};
use sim_tests::world::Tier;

fn assert_clean(count: u64, tier: Tier) {
    let sweep = Sweep { from: 0, count: Some(count), limit: None, tier, jobs: 2, profile: None, only: None };
    let summary = sweep.run(|_, _| true);
    let failed: Vec<_> = summary.failed.iter().map(|verdict| (verdict.seed, &verdict.violations)).collect();
    assert!(failed.is_empty(), "{tier:?}: {failed:#?}");
    assert!(summary.differed.is_empty(), "{tier:?}: {:?}", summary.differed);
    assert_eq!((summary.plans, summary.compared), (count, count.div_ceil(20)));
}

#[test]
fn three_hundred_seeds_break_no_promise_on_the_fast_tier() {
    assert_clean(300, Tier::Fast);
}

#[test]
fn sixty_seeds_break_no_promise_on_turmoil() {
    assert_clean(60, Tier::Turmoil);
}

#[test]
fn three_hundred_seeds_meet_every_mark_but_the_rarest() {
    let sweep = Sweep { from: 0, count: Some(300), limit: None, tier: Tier::Fast, jobs: 2, profile: None, only: None };
    let unmet = sweep.run(|_, _| true).unmet();
    assert!(unmet.len() <= 2, "{unmet:?}");
}

#[test]
fn a_feature_passes_over_the_plans_that_do_not_have_it() {
    let only = Some(Feature::FilePowerCut);
    let sweep = Sweep { from: 0, count: Some(300), limit: None, tier: Tier::Fast, jobs: 2, profile: None, only };
    let (mut run, mut done) = (Vec::new(), 0);
    sweep.run(|verdict, seeds| {
        run.push(verdict.seed);
        done = seeds;
        true
    });
    run.sort_unstable();
    let have: Vec<_> = (0..300).filter(|seed| Plan::draw(*seed, None).has(Feature::FilePowerCut)).collect();
    assert!((10..150).contains(&have.len()), "{}", have.len());
    assert_eq!(run, have);
    assert!(done > have.len() as u64, "what was passed over is done too");
}

fn kept() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/seeds");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut plans: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "json")).collect();
    plans.sort();
    plans
}

#[test]
fn every_kept_plan_breaks_no_promise_on_either_tier() {
    let plans = kept();
    assert!(plans.len() >= 5, "{} plans", plans.len());
    let mut broken = Vec::new();
    for file in plans {
        let plan: Plan = serde_json::from_str(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(plan.check(), Ok(()), "{}", file.display());
        for tier in [Tier::Fast, Tier::Turmoil] {
            let (verdict, history) = judge(&plan, tier);
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            broken.extend(verdict.violations.first().map(|first| format!("{name} {tier:?}: {first:?}")));
            assert!(!history.facts.is_empty(), "{name} {tier:?}");
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_kept_plan_is_described() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/seeds/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    for file in kept() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
    }
}
