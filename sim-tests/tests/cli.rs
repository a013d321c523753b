//! Guards the commands: what they print, and what they end with.

use std::path::PathBuf;
use std::process::{Command, Output};

use sim_tests::plan::{Client, Kind, Message, Plan, Profile};
use sim_tests::runner::judge;
use sim_tests::world::Tier;

fn sim_tests(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim-tests")).args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// Runs a command that must end so, and gives what it printed.
fn ends_with(status: i32, arguments: &[&str]) -> String {
    let output = sim_tests(arguments);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// A file of this test's own.
fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("cli-{name}")).to_string_lossy().into_owned()
}

fn save(name: &str, plan: &Plan) -> String {
    let file = file(name);
    std::fs::write(&file, serde_json::to_string(plan).unwrap()).unwrap();
    file
}

/// A transmitter that asks for a receipt and has no receiver: it never comes to rest.
fn restless() -> Plan {
    let message = Message::plain(10, 5, 1);
    let client = Client {
        kind: Kind::Transmitter,
        window: 1,
        sequence_start: 1,
        messages: vec![message],
        answer_delay_ms: 0,
        account: 0,
        address_range: String::new(),
        refuse_for_now: 0.0,
        refuse_for_good: 0.0,
    };
    Plan { clients: vec![client], ..Plan::draw(1, Some(Profile::Calm)) }
}

#[test]
fn what_is_fine_ends_with_0() {
    let out = ends_with(0, &["sweep", "--seeds", "0..20", "--profile", "calm"]);
    assert!(out.lines().last().unwrap().starts_with("20 plans in "), "{out}");
    assert!(out.contains("; 1 compared, 0 differed; 0 failed; marks met "), "{out}");
    let out = ends_with(0, &["twice", "--seeds", "3..5"]);
    let (header, result) = out.split_once('\n').unwrap();
    assert!(header.starts_with("sim-tests: commit "), "{out}");
    assert_eq!(result, "4 runs in two processes, 0 differed\n");
}

#[test]
fn a_violation_ends_with_1_and_names_oracle_and_fact() {
    let file = save("restless.json", &restless());
    for tier in ["fast", "turmoil"] {
        let out = ends_with(1, &["replay", &file, "--quiet", "--tier", tier]);
        let [header, violation, last] = out.lines().collect::<Vec<_>>().try_into().unwrap();
        assert!(header.ends_with(&format!(", tier {tier}, plan {:016x}", restless().digest())), "{out}");
        assert!(violation.starts_with("VIOLATED liveness at "), "{out}");
        assert!(violation.ends_with("still waiting at the end: receipt of 1"), "{out}");
        assert!(last.starts_with("seed=1 digest="), "{out}");
    }
}

#[test]
fn usage_ends_with_2_and_one_line_on_standard_error() {
    for (arguments, word) in [
        (&["nonsense"][..], "nonsense"),
        (&["sweep", "--seeds", "5..5"], "5..5"),
        (&["sweep", "--seeds", "5"], "range"),
        (&["sweep", "--for", "10x"], "10x"),
        (&["sweep", "--seeds", "0..1", "--for", "1s"], "--for"),
        (&["sweep", "--from", "1"], "--for"),
        (&["sweep", "--profile", "wild"], "wild"),
        (&["sweep", "--tier", "slow"], "slow"),
        (&["replay", "no-such-file.json"], "no-such-file.json"),
        (&["replay", "0xzz"], "0xzz"),
        (&["shrink", "no-such-file.json"], "no-such-file.json"),
        (&["shrink", "1", "--budget", "long"], "long"),
        (&["sweep", "--shrink-runs", "few"], "few"),
        (&["diff", "no-such-trace", "no-such-trace"], "no-such-trace"),
    ] {
        let output = sim_tests(arguments);
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(line.lines().count(), 1, "{arguments:?}: {line}");
        assert!(line.starts_with("sim-tests: ") && line.contains(word), "{arguments:?}: {line}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[test]
fn a_plan_with_an_unknown_key_is_refused_by_its_name() {
    let mut plan = serde_json::to_value(restless()).unwrap();
    plan["note"] = "why this plan is kept".into();
    let file = file("noted.json");
    std::fs::write(&file, plan.to_string()).unwrap();
    let output = sim_tests(&["replay", &file]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unknown field `note`"), "{}", text(&output.stderr));
}

#[test]
fn a_seed_is_decimal_or_hexadecimal_or_a_commit() {
    let last = |seed: &str| {
        let out = ends_with(0, &["replay", seed, "--quiet"]);
        out.lines().last().unwrap().to_owned()
    };
    let wanted = last("1311768467463790320");
    assert!(wanted.starts_with("seed=1311768467463790320 digest="), "{wanted}");
    assert_eq!(last("0x123456789abcdef0"), wanted);
    assert_eq!(last("123456789abcdef0ffffffffffffffffffffffff"), wanted);
    assert_eq!(last("123456789ABCDEF00000000000000000000000ab"), wanted);
}

#[test]
fn a_replay_shows_its_plan_and_history_and_the_plan_can_be_replayed() {
    let out = ends_with(0, &["replay", "1", "--profile", "calm"]);
    let (start, end) = (out.find('{').unwrap(), out.find("\n}\n").unwrap() + 2);
    let plan: Plan = serde_json::from_str(&out[start..end]).unwrap();
    assert_eq!(plan, Plan::draw(1, Some(Profile::Calm)));
    assert!(
        out.contains(" bind_trans") && out.contains("Connected { line: 0, client: 0, process: Some(0), smsc: 0 }"),
        "{out}"
    );
    let again = ends_with(0, &["replay", &save("calm.json", &plan), "--quiet"]);
    assert_eq!(again.lines().last(), out.lines().last());
}

#[test]
fn a_replay_is_written_as_a_time_line_and_a_capture_on_either_tier() {
    for tier in ["fast", "turmoil"] {
        let (html, pcap) = (file(&format!("{tier}.html")), file(&format!("{tier}.pcap")));
        ends_with(
            0,
            &["replay", "1", "--profile", "calm", "--quiet", "--tier", tier, "--html", &html, "--pcap", &pcap],
        );
        let page = std::fs::read_to_string(html).unwrap();
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{tier}");
        assert!(
            page.contains(&format!("\"tier\":\"{tier}\"")) && page.contains("\"name\":\"bind_transceiver\""),
            "{tier}"
        );
        let capture = std::fs::read(pcap).unwrap();
        assert_eq!(capture[..4], 0xA1B2_3C4D_u32.to_le_bytes(), "{tier}");
    }
}

#[test]
fn what_is_broken_is_in_the_time_line() {
    let (plan, html) = (save("restless-too.json", &restless()), file("restless.html"));
    ends_with(1, &["replay", &plan, "--quiet", "--html", &html]);
    assert!(std::fs::read_to_string(html).unwrap().contains("\"oracle\":\"liveness\""));
}

#[test]
fn a_time_line_or_capture_that_cannot_be_written_is_one_line() {
    for flag in ["--html", "--pcap", "--trace"] {
        let nowhere = file("no/such/folder/file");
        let output = sim_tests(&["replay", "1", "--profile", "calm", "--quiet", flag, &nowhere]);
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{flag}");
        assert!(line.starts_with("sim-tests: cannot write ") && line.lines().count() == 1, "{flag}: {line}");
    }
}

/// The digest counts nanoseconds, and so does the trace.
#[test]
fn a_trace_has_the_times_that_its_digest_is_of() {
    let trace = file("times.trace");
    ends_with(0, &["replay", "5", "--quiet", "--trace", &trace]);
    let (_, history) = judge(&Plan::draw(5, None), Tier::Fast);
    let text = std::fs::read_to_string(trace).unwrap();
    let written = text.lines().skip(1).map(|line| line.parse::<serde_json::Value>().unwrap()["at_ns"].as_u64());
    let wanted = history.facts.iter().map(|fact| u64::try_from(fact.at.as_nanos()).ok());
    assert!(written.eq(wanted), "{text}");
}

#[test]
fn diff_finds_the_first_fact_that_differs_and_ends_with_3() {
    let (one, other, same) = (file("one.trace"), file("other.trace"), file("same.trace"));
    ends_with(0, &["replay", "1", "--quiet", "--trace", &one]);
    ends_with(0, &["replay", "1", "--quiet", "--trace", &same]);
    assert_eq!(ends_with(0, &["diff", &one, &same]), "the traces are equal\n");
    let text = std::fs::read_to_string(&one).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    let was = std::mem::replace(&mut lines[8], "{\"at_ns\":0}".to_owned());
    std::fs::write(&other, lines.join("\n")).unwrap();
    assert_eq!(ends_with(3, &["diff", &one, &other]), format!("fact 7 differs\n< {was}\n> {{\"at_ns\":0}}\n"));
    std::fs::write(&other, text.lines().take(5).map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let out = ends_with(3, &["diff", &one, &other]);
    assert!(out.starts_with("fact 4 differs\n") && out.ends_with("> (no more facts)\n"), "{out}");
}

#[test]
fn reports_are_written_as_json_and_junit() {
    let (json, junit) = (file("report.json"), file("report.xml"));
    ends_with(0, &["sweep", "--seeds", "7..11", "--json", &json, "--junit", &junit]);
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((&report["plans"], &report["tier"]), (&4.into(), &"fast".into()));
    assert_eq!(report["failed"], serde_json::json!([]));
    assert!(["commit", "rustc", "build"].iter().all(|key| report[key].is_string()), "{report:#}");
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("<testsuite name=\"sim-tests\" tests=\"1\" failures=\"0\""), "{junit}");
}

#[test]
fn a_report_that_cannot_be_written_ends_with_2() {
    ends_with(2, &["sweep", "--seeds", "0..1", "--json", &file("no/such/folder/report.json")]);
}

#[test]
fn a_plan_that_cannot_be_run_is_refused_by_its_place() {
    let mut plan = restless();
    plan.clients[0].window = 0;
    let output = sim_tests(&["replay", &save("no-window.json", &plan)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be run: clients[0]: window is 0"), "{}", text(&output.stderr));
}

#[test]
fn shrink_leaves_what_a_plan_fails_by_in_a_file_that_replay_takes() {
    let other = Client { kind: Kind::Transceiver, account: 1, ..restless().clients[0].clone() };
    let mut plan = Plan { latency_ms: 4, tick_ms: 2, ..restless() };
    plan.clients = vec![other.clone(), plan.clients[0].clone(), Client { messages: Vec::new(), ..other }];
    plan.clients[1].messages.extend([Message::plain(20, 9_000, 0), Message::plain(500, 1, 0)]);
    let (file, small) = (save("large.json", &plan), file("small.json"));
    let out = ends_with(1, &["shrink", &file, "-o", &small]);
    let [header, broken, still, result, last] = out.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(header.ends_with(&format!(", tier fast, plan {:016x}", plan.digest())), "{out}");
    assert!(broken.starts_with("VIOLATED liveness ") && still.ends_with("at the end: receipt of 1"), "{out}");
    let wanted = format!("shrunk from {} steps to 1, none of which can go, in ", plan.steps());
    assert!(result.starts_with(&wanted), "{out}");
    let reproduce =
        format!("FAIL seed=1 oracle=liveness reproduce: cargo run --release -p sim-tests -- replay {small}");
    assert_eq!(last, reproduce);
    ends_with(1, &["replay", &small, "--quiet"]);
    let written = std::fs::read_to_string(&small).unwrap();
    assert!(written.lines().count() < 20, "{written}");
    let again: Plan = serde_json::from_str(&written).unwrap();
    assert_eq!(again.clients[0].messages, [Message::plain(0, 0, 1)]);
    ends_with(1, &["shrink", &file, "-o", &small, "--jobs", "1"]);
    assert_eq!(std::fs::read_to_string(&small).unwrap(), written, "the same again");
}

#[test]
fn shrink_stops_when_its_budget_is_used_up() {
    let (file, small) = (save("budget.json", &restless()), file("budget.small.json"));
    let out = ends_with(1, &["shrink", &file, "-o", &small, "--runs", "2"]);
    assert!(out.contains("cut short, in 2 runs: "), "{out}");
    let out = ends_with(1, &["shrink", &file, "-o", &small, "--budget", "0s"]);
    assert!(out.contains("cut short, in 0 runs: "), "{out}");
    assert_eq!(serde_json::from_str::<Plan>(&std::fs::read_to_string(&small).unwrap()).unwrap(), restless());
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let small = file("nothing.json");
    let out = ends_with(0, &["shrink", "1", "--profile", "calm", "-o", &small]);
    assert!(out.ends_with("seed=1 breaks no promise: there is nothing to shrink\n"), "{out}");
    assert!(!PathBuf::from(small).exists());
}

#[test]
fn traces_of_other_programs_are_compared_and_those_of_other_plans_are_not_equal() {
    let trace = file("header.trace");
    ends_with(0, &["replay", "1", "--quiet", "--trace", &trace]);
    let whole = std::fs::read_to_string(&trace).unwrap();
    let (header, facts) = whole.split_once('\n').unwrap();
    let with = |key: &str, value: &str| {
        let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
        assert!(!header[key].is_null(), "{key}");
        header[key] = value.into();
        let file = file(&format!("header-{key}.trace"));
        std::fs::write(&file, format!("{header}\n{facts}")).unwrap();
        file
    };
    let out = ends_with(0, &["diff", &trace, &with("commit", "unheard-of")]);
    assert!(out.starts_with("the headers differ in commit: ") && out.ends_with("the traces are equal\n"), "{out}");
    let out = ends_with(3, &["diff", &trace, &with("plan", "0000000000000000")]);
    assert!(out.ends_with("the facts are equal, but not what they are of\n"), "{out}");
    let out = ends_with(3, &["diff", &trace, &with("digest", "1")]);
    let words = "no fact differs, but what the headers say of them does\nthe headers differ in digest: ";
    assert!(out.starts_with(words) && out.ends_with(" and \"1\"\n"), "{out}");
}

#[test]
fn twice_with_another_program_that_fails_is_an_error_and_not_equal() {
    for (program, words) in [
        ("no-such-program", "cannot start no-such-program: "),
        // As one that crashes: it prints no run.
        (env!("CARGO"), "ended with exit status: 101: "),
    ] {
        let output = sim_tests(&["twice", "--seeds", "3..4", "--tier", "fast", "--with", program]);
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{program}: {line}");
        assert!(line.contains(words) && line.lines().count() == 1, "{program}: {line}");
        assert!(!text(&output.stdout).contains(" differed"), "{}", text(&output.stdout));
    }
}

/// A program that runs this one, and changes what it prints.
#[cfg(unix)]
fn altered(name: &str, how: &str) -> String {
    let file = file(name);
    let script = format!("#!/bin/sh\n{} \"$@\" | {how}\n", env!("CARGO_BIN_EXE_sim-tests"));
    // Another process writes it, so that no other test's child holds it open while it is started.
    let written =
        Command::new("sh").args(["-c", "printf %s \"$1\" >\"$0\" && chmod +x \"$0\"", &file, &script]).status();
    assert!(written.unwrap().success());
    file
}

#[cfg(unix)]
#[test]
fn twice_compares_with_another_build_and_says_which_it_is() {
    let twice = |status, with: &str| ends_with(status, &["twice", "--seeds", "3..6", "--tier", "fast", "--with", with]);
    let same = twice(0, env!("CARGO_BIN_EXE_sim-tests"));
    assert!(same.ends_with(", tier fast\n3 runs in two processes, 0 differed\n"), "{same}");
    let older = twice(0, &altered("older", "sed 's/commit [^,]*/commit 0ld/'"));
    assert!(older.contains("\nthe other process: sim-tests: commit 0ld, rustc "), "{older}");
    let other = twice(3, &altered("other", "sed '/seed=4 /s/digest=.*/digest=other/'"));
    assert!(other.contains("\nDIFFERED seed=4 tier=fast digest=") && other.contains(" process other\n"), "{other}");
    assert!(other.ends_with("\n3 runs in two processes, 1 differed\n"), "{other}");
}

#[cfg(unix)]
#[test]
fn twice_is_not_fine_when_the_other_process_leaves_runs_out() {
    let output = sim_tests(&["twice", "--seeds", "3..6", "--tier", "fast", "--with", &altered("short", "head -n 2")]);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("ended well, but 2 runs are not to be compared"), "{words}");
}

/// What a command prints that is interrupted after two seconds, and ends well.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the other process needs a moment of real time")]
fn interrupted(arguments: &[&str]) -> String {
    use std::process::Stdio;
    use std::time::Duration;

    let mut command = Command::new(env!("CARGO_BIN_EXE_sim-tests"));
    let running = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let sent = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    text(&output.stdout)
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_sweep_with_what_it_has_seen() {
    let json = file("interrupted.json");
    let out = interrupted(&["sweep", "--for", "10m", "--profile", "calm", "--json", &json]);
    assert!(out.contains("interrupted: these are the seeds so far\n"), "{out}");
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert!(report["plans"].as_u64().unwrap() > 0 && report["seconds"].as_f64().unwrap() < 60.0, "{report:#}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_twice_with_what_it_has_compared() {
    let out = interrupted(&["twice", "--seeds", "0..1000000", "--tier", "fast"]);
    assert!(out.contains("interrupted: these are the runs so far\n"), "{out}");
    assert!(out.ends_with(" runs in two processes, 0 differed\n"), "{out}");
}
