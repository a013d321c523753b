//! What a sweep says of failures, without one that fails.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use sim_tests::oracle::Violation;
use sim_tests::plan::Plan;

use super::save::{Saved, Smallest};
use super::*;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    sweep: Sweep,
}

fn sweep(flags: &[&str]) -> Sweep {
    Flags::try_parse_from([&["sweep"], flags].concat()).unwrap_or_else(|error| panic!("{error}")).sweep
}

fn violation(words: &str) -> Violation {
    Violation { oracle: "outcomes", at: Duration::from_millis(12), words: words.to_owned() }
}

fn verdict(seed: u64, words: &str) -> Verdict {
    let (digest, facts, simulated) = (0, 0, Duration::ZERO);
    let (violations, excuses) = (vec![violation(words)], BTreeMap::new());
    Verdict { seed, digest, facts, violations, marks: Vec::new(), excuses, simulated }
}

#[test]
fn the_line_of_a_failure_says_how_to_see_it_again() {
    let line = |tier, profile| fail_line(77, &violation("it"), "77", tier, profile);
    let start = "FAIL seed=77 oracle=outcomes reproduce: cargo run --release -p sim-tests -- replay 77";
    assert_eq!(line(Tier::Fast, None), start);
    assert_eq!(line(Tier::Turmoil, None), format!("{start} --tier turmoil"));
    assert_eq!(line(Tier::Fast, Some(Profile::All)), format!("{start} --profile all"));
    assert_eq!(line(Tier::Fast, Some(Profile::Swarm)), format!("{start} --profile swarm"));
    assert_eq!(line(Tier::Turmoil, Some(Profile::Calm)), format!("{start} --tier turmoil --profile calm"));
}

#[test]
fn what_a_sweep_has_seen_decides_how_it_ends() {
    let end = |flags: &[&str], summary: &Summary| sweep(flags).end(summary);
    let clean = || Summary { plans: MARKS_REQUIRED_FROM - 1, ..Summary::default() };
    assert!(matches!(end(&[], &clean()), End::Fine));
    let many = Summary { plans: MARKS_REQUIRED_FROM, ..clean() };
    assert!(matches!(end(&[], &many), End::Unmet), "a large sweep that met no mark");
    assert!(matches!(end(&["--profile", "calm"], &many), End::Fine), "a calm one need not");
    let differed = Summary { differed: vec![3], ..many };
    assert!(matches!(end(&[], &differed), End::Differed));
    let failed = Summary { failed: vec![verdict(3, "it")], ..differed };
    assert!(matches!(end(&[], &failed), End::Violated));
}

/// A report of nine seeds, of which two failed and one of those was saved.
fn reported(write: impl Fn(&Report) -> String) -> String {
    let failed = vec![verdict(3, "a < b && \"c\" > \u{1b}[0m"), verdict(4, "plain")];
    let summary = Summary { plans: 9, failed, took: Duration::from_millis(1_500), ..Summary::default() };
    let shrunk = Some(Smallest { plan: "d/3.shrunk.json".into(), steps: 4, runs: 99 });
    let saved = Saved { plan: "d/3.json".into(), steps: 70, trace: Some("d/3.trace.jsonl".into()), shrunk };
    let sweep = sweep(&["--tier", "turmoil"]);
    let saved = BTreeMap::from([(3, saved)]);
    write(&Report { sweep: &sweep, summary: &summary, saved, end: &sweep.end(&summary) })
}

#[test]
fn the_report_as_junit_is_xml_whatever_was_seen() {
    let junit = reported(|report| report.junit());
    let (head, cases) = junit.split_once("  </properties>\n").unwrap_or_else(|| panic!("{junit}"));
    let wanted = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"sim-tests\" tests=\"3\" \
        failures=\"2\" errors=\"0\" skipped=\"0\" time=\"1.500\">\n  <properties>\n    <property name=\"commit\" value=\"";
    assert!(head.starts_with(wanted), "{head}");
    for property in ["rustc\" value=\"1", "build", "tier\" value=\"turmoil\"", "plans\" value=\"9\""] {
        assert!(head.contains(&format!("    <property name=\"{property}")), "{property}: {head}");
    }
    let [three, four] = [3, 4].map(|seed| format!("{:016x}", Plan::draw(seed, None).digest()));
    let wanted = format!(
        "  <testcase classname=\"sim-tests.turmoil\" name=\"seed 3\"><failure type=\"outcomes\" \
        message=\"a &lt; b &amp;&amp; &quot;c&quot; &gt; \u{FFFD}[0m\">\
        cargo run --release -p sim-tests -- replay 3 --tier turmoil\nplan {three}, 70 steps: d/3.json\ntrace: d/3.trace.jsonl\n\
        shrunk plan, 4 steps: d/3.shrunk.json</failure></testcase>\n  \
        <testcase classname=\"sim-tests.turmoil\" name=\"seed 4\"><failure type=\"outcomes\" message=\"plain\">\
        cargo run --release -p sim-tests -- replay 4 --tier turmoil\nplan {four}</failure></testcase>\n  \
        <testcase classname=\"sim-tests.turmoil\" name=\"7 seeds that break no promise\"/>\n\
        </testsuite>\n</testsuites>\n"
    );
    assert_eq!(cases, wanted);
}

#[test]
fn seeds_that_differ_and_marks_that_are_not_met_are_failures_in_junit_too() {
    let sweep = sweep(&[]);
    let junit = |differed: Vec<u64>| {
        let summary = Summary { plans: MARKS_REQUIRED_FROM, differed, ..Summary::default() };
        Report { sweep: &sweep, summary: &summary, saved: BTreeMap::new(), end: &sweep.end(&summary) }.junit()
    };
    let differed = junit(vec![7]);
    assert!(differed.contains("tests=\"2\" failures=\"1\""), "{differed}");
    assert!(differed.contains("name=\"seed 7, again\"><failure type=\"differed\""), "{differed}");
    let unmet = junit(Vec::new());
    assert!(unmet.contains("name=\"marks\"><failure type=\"unmet\""), "{unmet}");
}

#[test]
fn the_report_as_json_says_what_it_is_of_and_where_files_are() {
    let report: serde_json::Value = reported(|report| report.json()).parse().expect("it is JSON");
    assert_eq!((&report["tier"], &report["plans"], &report["seconds"]), (&"turmoil".into(), &9.into(), &1.5.into()));
    assert!(["commit", "rustc", "build"].iter().all(|key| report[key].is_string()), "{report:#}");
    assert_eq!(report["failed"][0]["saved"]["shrunk"], json!({"plan": "d/3.shrunk.json", "steps": 4, "runs": 99}));
    assert_eq!(report["failed"][0]["saved"]["plan"], "d/3.json");
    assert_eq!(report["failed"][1]["saved"], json!(null));
    assert_eq!(report["failed"][1]["plan"], format!("{:016x}", Plan::draw(4, None).digest()));
    assert_eq!(report["failed"][1]["violations"][0]["oracle"], "outcomes");
}

/// Of the seeds of a sweep in which none failed: what is saved is theirs all the same.
#[test]
fn of_each_failing_seed_the_plan_is_saved_and_of_three_the_trace_and_a_smaller_plan() {
    let folder = std::env::temp_dir().join(format!("sim-tests-saved-{}", std::process::id()));
    let name = folder.to_string_lossy().into_owned();
    let failed: Vec<_> = (3..7).map(|seed| verdict(seed, "it")).collect();
    let files = |shrink_runs: &str| {
        let summary = Summary { plans: 9, failed: failed.clone(), ..Summary::default() };
        let saved = sweep(&["--save-to", &name, "--shrink-runs", shrink_runs]).save(&summary).expect("it is saved");
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .expect("it is there")
            .map(|entry| entry.expect("it can be read").file_name().into_string().expect("a name"))
            .collect();
        files.sort();
        let plan = std::fs::read_to_string(&saved[&6].plan).expect("it is written");
        let plan: Plan = serde_json::from_str(&plan).expect("a plan");
        assert_eq!(plan, Plan::draw(6, None));
        assert_eq!((plan.steps(), &saved[&6].trace, saved[&6].shrunk.is_none()), (saved[&6].steps, &None, true));
        std::fs::remove_dir_all(&folder).expect("it can be removed");
        files
    };
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::write(folder.join("6.shrunk.json"), "of an earlier sweep").expect("it can be written");
    let without = ["3.json", "3.trace.jsonl", "4.json", "4.trace.jsonl", "5.json", "5.trace.jsonl", "6.json"];
    assert_eq!(files("0"), without);
    let mut with = [&without[..], &["3.shrunk.json", "4.shrunk.json", "5.shrunk.json"]].concat();
    with.sort_unstable();
    assert_eq!(files("2"), with);
}

#[test]
fn times_are_seconds_minutes_or_hours() {
    assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
    assert_eq!(time("10m"), Ok(Duration::from_secs(600)));
    assert_eq!(time("2h"), Ok(Duration::from_secs(7_200)));
    for wrong in ["", "s", "10", "10x", "-1s", "1.5h", "\u{20ac}", "10\u{20ac}", "18446744073709551615h"] {
        assert!(time(wrong).is_err(), "{wrong:?}");
    }
}
