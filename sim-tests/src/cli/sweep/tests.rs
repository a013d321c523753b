//! What a sweep says of failures, without one that fails.

use std::time::Duration;

use clap::Parser;

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
    Verdict { seed, digest, facts, violations: vec![violation(words)], marks: Vec::new(), simulated }
}

#[test]
fn the_line_of_a_failure_says_how_to_see_it_again() {
    let line = |flags: &[&str]| sweep(flags).fail_line(77, &violation("it"));
    let start = "FAIL seed=77 oracle=outcomes reproduce: cargo run --release -p sim-tests -- replay 77";
    assert_eq!(line(&[]), start);
    assert_eq!(line(&["--tier", "turmoil"]), format!("{start} --tier turmoil"));
    assert_eq!(line(&["--profile", "all"]), format!("{start} --profile all"));
    assert_eq!(line(&["--tier", "turmoil", "--profile", "calm"]), format!("{start} --tier turmoil --profile calm"));
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

#[test]
fn the_report_as_junit_is_xml_whatever_was_seen() {
    let failed = vec![verdict(3, "a < b && \"c\" > \u{1b}[0m"), verdict(4, "plain")];
    let junit = sweep(&[]).junit(&Summary { plans: 9, failed, ..Summary::default() });
    let wanted = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <testsuite name=\"sim-tests\" tests=\"9\" failures=\"2\">\n  \
        <testcase name=\"seed 3\"><failure message=\"a &lt; b &amp;&amp; &quot;c&quot; &gt; \u{FFFD}[0m\">\
        cargo run --release -p sim-tests -- replay 3</failure></testcase>\n  \
        <testcase name=\"seed 4\"><failure message=\"plain\">\
        cargo run --release -p sim-tests -- replay 4</failure></testcase>\n\
        </testsuite>\n";
    assert_eq!(junit, wanted);
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
