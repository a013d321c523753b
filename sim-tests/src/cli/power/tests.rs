//! What `power` makes of sweeps, without one that takes its time.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    power: Power,
}

fn power() -> Power {
    Flags::try_parse_from(["power"]).unwrap_or_else(|error| panic!("{error}")).power
}

fn found(seed: u64) -> Search {
    Search::Found(Found { seed, tried: seed + 1, oracle: "order".to_owned(), steps: (40, Some(2)) })
}

/// `true` and `false` end as a sweep does, but write no report; what an earlier run wrote is not theirs.
#[cfg(unix)]
#[test]
fn a_program_that_ends_without_a_report_has_found_nothing() {
    let folder = std::env::temp_dir().join(format!("sim-tests-power-{}", std::process::id()));
    for (program, words) in [("true", "report.json: "), ("false", "report.json: "), ("sh", "the sweep ended with exit")]
    {
        std::fs::create_dir_all(&folder).expect("it can be made");
        let earlier = r#"{"plans": 1, "failed": [{"seed": 0, "violations": [{"oracle": "order"}]}]}"#;
        std::fs::write(folder.join("report.json"), earlier).expect("it can be written");
        let Err(why) = power().sweep(Path::new(program), &folder) else { panic!("{program}") };
        assert!(why.contains(words), "{program}: {why}");
    }
    std::fs::remove_dir_all(&folder).expect("it can be removed");
}

#[test]
fn a_bug_that_could_not_be_looked_for_is_no_bug_that_was_not_found() {
    let all = [found(7), found(3), Search::NotFound, Search::Failed("cargo failed: error".to_owned())];
    assert_eq!(in_all(&all), "2 of 4 found, 1 not looked for; medians: seed 7, 2 steps");
    assert_eq!(in_all(&all[..3]), "2 of 3 found; medians: seed 7, 2 steps");
    let rows: Vec<_> = all.iter().map(|search| power().row("a-bug", search)).collect();
    let words: Vec<Vec<_>> = rows.iter().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["a-bug", "7", "8", "order", "40", "2"]);
    assert_eq!(words[2], ["a-bug", "not", "found", "10000"]);
    assert!(rows[3].ends_with(" not looked for: cargo failed: error"), "{rows:?}");
}

#[test]
fn what_goes_on_meanwhile_goes_on_until_the_work_is_done() {
    let said = std::cell::Cell::new(0);
    let (sender, receiver) = std::sync::mpsc::channel();
    let each = || {
        said.set(said.get() + 1);
        let _ = sender.send(());
    };
    let work = move || receiver.iter().take(3).count();
    assert_eq!(meanwhile(work, each), 3);
    assert!(said.get() >= 3);
}
