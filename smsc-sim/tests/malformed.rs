//! Guards what is done about octets that are no PDU, on real sockets: each of `fixtures/malformed` between two good
//! enquire_links in one write, to the simulator (by the letter) and to a client (tolerant). `fixtures/README.md` says what
//! the files say.

use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::driver::{Client, ClientConfig};
use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{
    Bind, BindResp, Body, CommandId, CommandStatus, Empty, FRAME_OCTETS_MAX, InterfaceVersion, Leniency, Pdu,
    next_frame,
};
use smpp_transport::session::BindKind;
use smsc_sim::SmscSim;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// What does not come within this time on a loopback line does not come.
const LONG: Duration = Duration::from_secs(20);
/// The numbers of the enquire_links before and after.
const BEFORE: u32 = 0x0BEF;
const AFTER: u32 = 0x0AF7;

/// One file.
struct Case {
    name: String,
    octets: Vec<u8>,
    answer: String,
    tolerant: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/malformed");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 50, "{} files", files.len());
    files.iter().map(|file| case(file)).collect()
}

fn case(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    let (situation, expected) = text.split_once("\n\n").unwrap();
    let digits: String = situation.lines().filter(|line| !line.starts_with('#')).collect();
    let value = |key: &str| {
        let line = expected.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap_or_else(|| panic!("{}: no {key}", file.display())).to_owned()
    };
    Case {
        name: file.file_stem().unwrap().to_string_lossy().into_owned(),
        octets: from_hex(&digits).unwrap(),
        answer: value("answer: "),
        tolerant: value("tolerant: "),
    }
}

impl Case {
    fn word(&self, at: usize) -> u32 {
        let octets = self.octets.get(at..at + 4).map_or([0; 4], |octets| octets.try_into().unwrap());
        u32::from_be_bytes(octets)
    }

    fn command(&self) -> CommandId {
        CommandId(self.word(4))
    }

    fn sequence(&self) -> u32 {
        self.word(12)
    }

    /// The octets between two good requests.
    fn between_neighbours(&self) -> Vec<u8> {
        let good = |sequence| Pdu::new(CommandStatus::ESME_ROK, sequence, Body::EnquireLink(Empty {})).to_octets();
        [&good(BEFORE)[..], &self.octets, &good(AFTER)].concat()
    }
}

/// A line that reads by the letter.
struct Line {
    stream: TcpStream,
    input: BytesMut,
}

impl Line {
    fn new(stream: TcpStream) -> Line {
        Line { stream, input: BytesMut::new() }
    }

    async fn write(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    /// The next PDU; none at the end of the line.
    async fn next(&mut self) -> Option<Pdu> {
        loop {
            if let Some(frame) = next_frame(&mut self.input, FRAME_OCTETS_MAX).unwrap() {
                return Some(Pdu::decode(&frame, Leniency::STRICT).unwrap());
            }
            let read = timeout(LONG, self.stream.read_buf(&mut self.input)).await.expect("something comes in time");
            if read.expect("the line is closed, not reset") == 0 {
                return None;
            }
        }
    }

    /// What comes up to the answer to the last neighbour, without the two; and whether that came, or the end of the line.
    async fn between_answers(&mut self) -> (Vec<String>, bool) {
        let first = self.next().await.expect("the first neighbour is answered whatever comes after it");
        assert_eq!(in_short(&first), format!("{BEFORE:#x} {} ESME_ROK", CommandId::ENQUIRE_LINK_RESP));
        let mut between = Vec::new();
        while let Some(pdu) = self.next().await {
            if (pdu.command_id(), pdu.sequence) == (CommandId::ENQUIRE_LINK_RESP, AFTER) {
                return (between, true);
            }
            between.push(in_short(&pdu));
        }
        (between, false)
    }
}

fn in_short(pdu: &Pdu) -> String {
    answer(pdu.sequence, pdu.command_id(), &pdu.status.to_string())
}

fn answer(sequence: u32, command: CommandId, status: &str) -> String {
    format!("{sequence:#x} {command} {status}")
}

/// The decode error's answer, as the file says it in words: the PDU, if any, and whether the session goes on.
fn said(case: &Case, words: &str) -> (Vec<String>, bool) {
    match words.split_once(' ').unwrap_or((words, "")) {
        // A frame shorter than a header has no number that could be echoed.
        ("close", status) => {
            let sequence = if case.word(0) < 16 { 0 } else { case.sequence() };
            (vec![answer(sequence, CommandId::GENERIC_NACK, status)], false)
        }
        ("generic_nack", status) => (vec![answer(case.sequence(), CommandId::GENERIC_NACK, status)], true),
        ("respond", status) => (vec![answer(case.sequence(), case.command().answer().unwrap(), status)], true),
        ("ignore", "") => (Vec::new(), true),
        _ => panic!("{}: {words:?} is no answer", case.name),
    }
}

async fn bind(line: &mut Line) {
    let bind = Bind {
        system_id: "smppclient1".parse().unwrap(),
        password: "password".parse().unwrap(),
        interface_version: InterfaceVersion::V3_4,
        ..Bind::default()
    };
    line.write(&Pdu::new(CommandStatus::ESME_ROK, 1, Body::BindTransceiver(bind)).to_octets()).await;
    assert_eq!(line.next().await.unwrap().status, CommandStatus::ESME_ROK);
}

/// The octets are judged before the state of the session: what cannot be read is answered as the file says, whoever may
/// say such a thing, and when. Responses answer nothing here, and are ignored.
#[tokio::test]
async fn the_simulator_answers_each_by_the_letter_and_its_neighbours_too() {
    let smsc = SmscSim::builder().start().await.unwrap();
    for case in cases() {
        let mut line = Line::new(TcpStream::connect(smsc.address()).await.unwrap());
        if !case.command().is_bind() {
            bind(&mut line).await;
        }
        line.write(&case.between_neighbours()).await;
        assert_eq!(line.between_answers().await, said(&case, &case.answer), "{}", case.name);
    }
    smsc.stop().await;
}

/// What a client says of a PDU that it can read. The rules of the session: a response that answers nothing is ignored, and
/// so is a second outbind; a request that an SMSC may not make is refused with ESME_RINVBNDSTS.
fn state_says(case: &Case) -> (Vec<String>, bool) {
    match case.command() {
        command if command.is_response() => (Vec::new(), true),
        CommandId::ENQUIRE_LINK => said(case, "respond ESME_ROK"),
        // The application is handed the message, and takes it.
        CommandId::DELIVER_SM | CommandId::DATA_SM => said(case, "respond ESME_ROK"),
        _ => said(case, "respond ESME_RINVBNDSTS"),
    }
}

/// What the file says that a tolerant reader makes of it.
fn tolerant_says(case: &Case) -> (Vec<String>, bool) {
    if case.tolerant.starts_with("reads ") {
        return state_says(case);
    }
    if case.tolerant == "the same error" {
        return said(case, &case.answer);
    }
    // Another error than by the letter: its answer follows from the field it names.
    let status = if case.tolerant.contains("short_message") { "ESME_RINVMSGLEN" } else { "ESME_RINVCMDLEN" };
    said(case, &format!("respond {status}"))
}

#[tokio::test]
async fn a_client_survives_each_and_answers_what_a_tolerant_reader_makes_of_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for case in cases() {
        let config =
            ClientConfig::new(BindKind::Transceiver, "smppclient1".parse().unwrap(), "password".parse().unwrap());
        let (connected, mut smsc) = tokio::join!(Client::connect(&address, config), be_bound_to(&listener));
        let (client, mut incoming) = connected.unwrap();
        let application = tokio::spawn(async move {
            while let Some(delivery) = incoming.next().await {
                delivery.accept();
            }
        });
        smsc.write(&case.between_neighbours()).await;
        let (mut between, mut goes_on) = smsc.between_answers().await;
        if goes_on && between.is_empty() {
            // An answer of the application's own may come after those of the session.
            (between, goes_on) = late_answers(&mut smsc).await;
        }
        assert_eq!((between, goes_on), tolerant_says(&case), "{}", case.name);
        drop(smsc);
        timeout(LONG, client.ended()).await.expect("the session ends with its line");
        application.await.unwrap();
    }
}

/// What comes up to the answer to one more enquire_link.
async fn late_answers(smsc: &mut Line) -> (Vec<String>, bool) {
    let mut between = Vec::new();
    for _ in 0..2 {
        // Two round trips: the application has had its turn after the first.
        let again = Pdu::new(CommandStatus::ESME_ROK, AFTER, Body::EnquireLink(Empty {}));
        smsc.write(&again.to_octets()).await;
        loop {
            match smsc.next().await {
                None => return (between, false),
                Some(pdu) if (pdu.command_id(), pdu.sequence) == (CommandId::ENQUIRE_LINK_RESP, AFTER) => break,
                Some(pdu) => between.push(in_short(&pdu)),
            }
        }
    }
    (between, true)
}

async fn be_bound_to(listener: &TcpListener) -> Line {
    let mut line = Line::new(listener.accept().await.unwrap().0);
    let bind = line.next().await.unwrap();
    let body = Body::BindTransceiverResp(Some(BindResp { system_id: "fake".parse().unwrap() }));
    line.write(&Pdu::new(CommandStatus::ESME_ROK, bind.sequence, body).to_octets()).await;
    line
}
