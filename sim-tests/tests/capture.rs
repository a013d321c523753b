//! Guards that Wireshark reads a run: every frame that was written is found, nothing is malformed, and nothing of TCP amiss.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use sim_tests::capture::capture;
use sim_tests::history::{End, Fact, History, How, Way, What};
use sim_tests::plan::{Plan, Profile};
use sim_tests::runner::judge;
use sim_tests::world::Tier;
use smsc_sim::rules::Step;

/// What tshark says of a capture, a line each; none when it is not there, and need not be.
fn tshark(name: &str, octets: &[u8], arguments: &[&str]) -> Option<Vec<String>> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("capture-{name}.pcap"));
    std::fs::write(&file, octets).unwrap();
    let decode = ["-d", "tcp.port==2775,smpp", "-o", "tcp.check_checksum:TRUE"];
    let output = match Command::new("tshark").arg("-r").arg(file).args(decode).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            let needed = std::env::var_os("TESTS_NEED_ALL").is_some_and(|value| value == "1");
            assert!(!needed, "tshark is missing, and TESTS_NEED_ALL=1: {error}");
            let _ = writeln!(std::io::stderr(), "left out: tshark: {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn written(history: &History) -> usize {
    history.facts.iter().filter(|fact| matches!(fact.what, What::Passed { way: Way::Written, .. })).count()
}

fn connections(history: &History) -> usize {
    history.facts.iter().filter(|fact| matches!(fact.what, What::Connected { .. })).count()
}

/// The identifiers of all PDUs: several may be in one segment.
fn pdus(lines: &[String]) -> usize {
    lines.iter().flat_map(|line| line.split(',')).filter(|id| !id.is_empty()).count()
}

#[test]
fn every_frame_of_a_calm_run_is_read_and_nothing_is_amiss() {
    // Sessions, transports, handsets, long messages, and answers to what the SMSC delivers.
    for (seed, tier) in [(1, Tier::Fast), (4, Tier::Fast), (9, Tier::Fast), (14, Tier::Fast), (14, Tier::Turmoil)] {
        let (verdict, history) = judge(&Plan::draw(seed, Some(Profile::Calm)), tier);
        assert_eq!(verdict.violations, [], "seed {seed}");
        let octets = capture(&history).unwrap();
        let name = format!("{seed}-{tier:?}");
        let amiss =
            "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || _ws.expert.severity >= 0x600000";
        let Some(amiss) = tshark(&name, &octets, &["-Y", amiss]) else { return };
        assert_eq!(amiss, [""; 0], "{name}");
        let found = tshark(&name, &octets, &["-Y", "smpp", "-T", "fields", "-e", "smpp.command_id"]).unwrap();
        assert_eq!(pdus(&found), written(&history), "{name}");
        for (flag, wanted) in [("syn == 1 && tcp.flags.ack == 0", 1), ("fin == 1", 2), ("reset == 1", 0)] {
            let found = tshark(&name, &octets, &["-Y", &format!("tcp.flags.{flag}")]).unwrap();
            assert_eq!(found.len(), wanted * connections(&history), "{name}: {flag}");
        }
    }
}

#[test]
fn every_frame_that_was_written_is_there_whatever_went_wrong() {
    for seed in [3, 5, 13] {
        let mut plan = Plan::draw(seed, Some(Profile::All));
        // What is no PDU is none to tshark either.
        let is_wrong = |step: &Step| matches!(step, Step::Malformed(_) | Step::Raw(_));
        plan.smsc.rules.retain(|rule| !rule.then.before.iter().chain(&rule.then.after).any(is_wrong));
        let (_, history) = judge(&plan, Tier::Fast);
        let name = format!("{seed}-all");
        let octets = capture(&history).unwrap();
        let Some(found) = tshark(&name, &octets, &["-Y", "smpp", "-T", "fields", "-e", "smpp.command_id"]) else {
            return;
        };
        assert_eq!(pdus(&found), written(&history), "{name}");
    }
}

fn at(ms: u64, what: What) -> Fact {
    Fact { at: Duration::from_millis(ms), what }
}

#[test]
fn times_are_those_of_the_run_and_each_end_closes_as_it_did() {
    let hung = |end, how| What::Hung { line: 0, end, how };
    let enquire_link = bytes::Bytes::from_static(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x07");
    let passed = |end| What::Passed { line: 0, end, way: Way::Written, frame: enquire_link.clone() };
    let facts = vec![
        at(5, What::Connected { line: 0, client: 0, process: Some(1), smsc: 0 }),
        at(1_250, passed(End::Esme)),
        at(1_300, hung(End::Smsc, How::Eof)),
        // It had something to say still.
        at(1_400, passed(End::Smsc)),
        at(1_500, hung(End::Esme, How::Failed)),
    ];
    let octets = capture(&History { facts }).unwrap();
    let fields =
        ["-T", "fields", "-e", "frame.time_epoch", "-e", "ip.src", "-e", "tcp.flags.str", "-e", "smpp.command_id"];
    let Some(lines) = tshark("times", &octets, &fields) else { return };
    let seen: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let (esme, smsc) = ("10.0.2.2", "10.0.0.1");
    let wanted = [
        ("1767225600.005000000", esme, "S"),
        ("1767225600.005000000", smsc, "AS"),
        ("1767225600.005000000", esme, "A"),
        ("1767225601.250000000", esme, "AP"),
        ("1767225601.400000000", smsc, "AP"),
        ("1767225601.400000000", smsc, "AF"),
        ("1767225601.400000000", esme, "A"),
        ("1767225601.500000000", esme, "AR"),
    ];
    assert_eq!(seen.len(), wanted.len(), "{lines:?}");
    for (line, (time, source, flags)) in seen.iter().zip(wanted) {
        let set = line[2].replace('·', "");
        assert_eq!((line[0], line[1], set.as_str()), (time, source, flags), "{lines:?}");
    }
    assert_eq!((seen[3][3], seen[4][3]), ("0x00000015", "0x00000015"));
}
