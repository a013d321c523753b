//! Guards that Wireshark follows what is captured: every PDU is found, and nothing of TCP is missed, doubled or malformed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::pdu::{Bind, BindResp, Body, CommandStatus, Empty, MessageId, Pdu, ShortMessage, Sm, Tlvs};

const OK: CommandStatus = CommandStatus::ESME_ROK;

fn ms(ms: u64) -> Duration {
    Duration::from_secs(1_700_000_000) + Duration::from_millis(ms)
}

/// Where what is written goes to, to be looked at.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn submit(sequence: u32) -> Pdu {
    let text = ShortMessage::new(vec![b'x'; 150]).expect("short");
    let sm = Sm { destination_addr: "27820001001".parse().expect("short"), short_message: text, ..Sm::default() };
    Pdu::new(OK, sequence, Body::SubmitSm(sm))
}

fn submit_resp(sequence: u32) -> Pdu {
    let message_id = sequence.to_string().parse().expect("short");
    Pdu::new(OK, sequence, Body::SubmitSmResp(Some(MessageId { message_id })))
}

fn octets(pdus: impl IntoIterator<Item = Pdu>) -> Vec<u8> {
    pdus.into_iter().flat_map(|pdu| pdu.to_octets().to_vec()).collect()
}

/// Both sides talk, in pieces that do not end where PDUs end; gives how many PDUs there were.
fn converse(capture: &mut Capture, connection: u64, esme: Option<&str>, smsc: Option<&str>, how: Close) -> usize {
    let address = |text: &str| text.parse().expect("an address");
    capture.open(connection, esme.map(address), smsc.map(address), ms(0));
    let bind =
        Pdu::new(OK, 1, Body::BindTransceiver(Bind { system_id: "me".parse().expect("short"), ..Bind::default() }));
    let bound = Pdu::new(OK, 1, Body::BindTransceiverResp(Some(BindResp::default())));
    capture.data(connection, Way::FromEsme, &octets([bind]), ms(1));
    capture.data(connection, Way::ToEsme, &octets([bound]), ms(2));
    // More than a window that is not scaled holds, without a word from the other side. Wireshark sees that a window is full
    // only when it is, to the octet.
    let requests = octets((2..602).map(submit));
    let (window, rest) = requests.split_at(usize::from(WINDOW));
    for (at, piece) in (3..).zip(window.chunks(5_000).chain(rest.chunks(5_000))) {
        capture.data(connection, Way::FromEsme, piece, ms(at));
    }
    let responses = octets((2..602).map(submit_resp));
    capture.data(connection, Way::ToEsme, &responses[..responses.len() - 5], ms(100));
    capture.data(connection, Way::ToEsme, &responses[responses.len() - 5..], ms(101));
    let unbind = octets([Pdu { status: OK, sequence: 700, body: Body::Unbind(Empty {}), tlvs: Tlvs::new() }]);
    capture.data(connection, Way::FromEsme, &unbind, ms(110));
    capture.close(connection, how, ms(120));
    2 + 2 * 600 + 1
}

/// What tshark says of a file; none when it is not there, and need not be.
fn tshark(file: &Path, arguments: &[&str]) -> Option<String> {
    let ran = Command::new("tshark").arg("-r").arg(file).args(["-d", "tcp.port==2775,smpp"]).args(arguments).output();
    let output = match ran {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("TESTS_NEED_ALL").is_none(), "tshark: {error}");
            let _ = writeln!(io::stderr(), "left out: tshark: {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("tshark writes UTF-8"))
}

/// A file of this test's alone, gone when it ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("capture-{}-{}.pcap", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn tshark_finds_every_pdu_and_nothing_amiss() {
    let file = Scratch::new();
    let mut capture = Capture::create(&file.0).expect("a place for temporary files");
    let mut pdus = 0;
    let (ended, reset) = (Close::Ended(Way::FromEsme), Close::Reset(Way::ToEsme));
    pdus += converse(&mut capture, 1, Some("192.0.2.7:50000"), Some("192.0.2.1:2775"), ended);
    // The same hosts again.
    pdus += converse(&mut capture, 2, Some("192.0.2.7:50001"), Some("192.0.2.1:2775"), reset);
    pdus +=
        converse(&mut capture, 3, Some("[2001:db8::7]:50000"), Some("[2001:db8::1]:2775"), Close::Ended(Way::ToEsme));
    pdus += converse(&mut capture, 4, Some("[::ffff:192.0.2.8]:50000"), Some("[::ffff:192.0.2.1]:2775"), ended);
    pdus += converse(&mut capture, 70_000, None, None, ended);
    drop(capture);
    let check = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
    let amiss = "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0";
    let Some(amiss) = tshark(&file.0, &[&check[..], &["-Y", amiss]].concat()) else { return };
    assert_eq!(amiss, "", "all is well formed and in order");
    let found = tshark(&file.0, &["-Y", "smpp", "-T", "fields", "-e", "smpp.command_id"]).expect("it was there before");
    let found = found.split([',', '\n']).filter(|id| !id.is_empty()).count();
    assert_eq!(found, pdus);
    let streams = tshark(&file.0, &["-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0"]).expect("it was there before");
    assert_eq!(streams.lines().count(), 5, "{streams}");
    assert!(streams.contains("10.1.17.112") && streams.contains("2001:db8::7"), "{streams}");
    let resets = tshark(&file.0, &["-Y", "tcp.flags.reset == 1"]).expect("it was there before");
    assert_eq!(resets.lines().count(), 1, "{resets}");
}

#[test]
fn a_side_that_has_not_closed_still_sends() {
    let file = Scratch::new();
    let mut capture = Capture::create(&file.0).expect("a place for temporary files");
    // 0 would begin with the numbers that Wireshark takes for a repetition.
    for (connection, how) in (0..).zip([Close::Ended(Way::FromEsme), Close::Reset(Way::FromEsme)]) {
        capture.open(connection, None, None, ms(0));
        capture.data(connection, Way::FromEsme, &octets([submit(1)]), ms(1));
        capture.close_half(connection, how, ms(2));
        assert!(capture.is_open(connection));
        capture.data(connection, Way::ToEsme, &octets([submit_resp(1)]), ms(3));
        capture.close_half(connection, Close::Ended(Way::ToEsme), ms(4));
        assert!(!capture.is_open(connection));
    }
    drop(capture);
    let Some(amiss) = tshark(&file.0, &["-Y", "_ws.malformed || tcp.analysis.flags"]) else { return };
    assert_eq!(amiss, "");
    let found =
        tshark(&file.0, &["-T", "fields", "-e", "tcp.stream", "-e", "tcp.flags.str"]).expect("it was there before");
    let found = found.replace('·', "").replace('\t', " ");
    let wanted = |end: [&str; 4]| ["S", "AS", "A", "AP"].into_iter().chain(end).map(str::to_owned).collect::<Vec<_>>();
    let of = |stream: &str| {
        found.lines().filter_map(|line| line.strip_prefix(stream)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("0 "), [wanted(["AF", "A", "AP", "AF"]), vec!["A".to_owned()]].concat());
    assert_eq!(of("1 "), wanted(["AR", "AP", "AF", ""])[..7]);
}

#[test]
fn times_are_written_to_the_nanosecond_and_octets_as_they_were() {
    let sink = Sink::default();
    let mut capture = Capture::new(Box::new(sink.clone())).expect("a sink takes all");
    capture.open(1, None, None, Duration::ZERO);
    capture.data(1, Way::ToEsme, b"octets", Duration::new(5, 7));
    capture.data(2, Way::ToEsme, b"of nobody", Duration::new(5, 7));
    assert!(capture.is_open(1) && !capture.is_open(2));
    capture.flush();
    let written = sink.0.lock().expect("one thread").clone();
    let last = &written[written.len() - 16 - 46..];
    assert_eq!(last[..16], [5, 0, 0, 0, 7, 0, 0, 0, 46, 0, 0, 0, 46, 0, 0, 0]);
    assert!(last.ends_with(b"octets"));
}

/// A disk that is full after so many octets.
struct Full(usize, Arc<AtomicUsize>);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if octets.len() > self.0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= octets.len();
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_disk_that_is_full_ends_the_capture_and_nothing_else() {
    assert!(Capture::new(Box::new(Full(23, Arc::default()))).is_err(), "not even the head");
    let writes = Arc::new(AtomicUsize::new(0));
    let mut capture = Capture::new(Box::new(Full(24, Arc::clone(&writes)))).expect("there is room for the head");
    capture.open(1, None, None, ms(0));
    capture.flush();
    assert!(!capture.is_open(1));
    capture.open(2, None, None, ms(0));
    capture.data(2, Way::ToEsme, &[0; 1_000_000], ms(0));
    capture.close(2, Close::Ended(Way::ToEsme), ms(0));
    drop(capture);
    assert_eq!(writes.load(Ordering::Relaxed), 2, "the head, and the one that failed");
}
