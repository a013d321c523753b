//! How fast the stack is on this machine's loopback, as a share of what bare sockets do with the same octets in the same
//! run: `loopback [host:port of an SMSC to measure too]`. `benches/loopback.sh` builds and runs it.
//!
//! (a) a bare client and a bare echo, that only count octets; (b) `smpp-transport load` and a bare responder; (c) a bare
//! client and a server made of [`Driver`]; (d) `load` and that server. One thread each side, one connection.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::process::Command;

use bytes::{Buf, Bytes, BytesMut};
use smpp_transport::driver::{Driver, DriverConfig};
use smpp_transport::pdu::{
    Bind, BindResp, Body, COctets, CommandStatus, InterfaceVersion, MessageId, Pdu, ShortMessage, Sm, Tlvs,
};
use smpp_transport::session::{Event, Role, SessionConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

type Failure = Box<dyn Error + Send + Sync>;

/// How often each number is measured; the middle one counts.
const ROUNDS: usize = 5;
const READ_OCTETS: usize = 64 * 1024;

fn main() -> Result<(), Failure> {
    let smsc: Option<SocketAddr> = std::env::args().nth(1).map(|address| address.parse()).transpose()?;
    let echo = serve(echo);
    let responder = serve(respond);
    let ours = serve(drive);
    let mut columns = vec!["(a) bare", "(b) our client", "(c) our server", "(d) both ours"];
    columns.extend(smsc.map(|_| "(e) bare client, SMSC"));
    say(&format!("| window | {} |", columns.join(" | ")));
    say(&format!("|---{}|", "|---".repeat(columns.len())));
    for window in [1, 10, 100, 1000] {
        let count = window_count(window);
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut rates = vec![
                bare_client(echo, window, 4 * count, false)?,
                load(responder, window, count)?,
                bare_client(ours, window, count, true)?,
                load(ours, window, count)?,
            ];
            if let Some(smsc) = smsc {
                rates.push(bare_client(smsc, window, count, true)?);
            }
            rounds.push(rates);
        }
        say(&row(window, &rounds));
    }
    Ok(())
}

fn window_count(window: usize) -> usize {
    match window {
        1 => 20_000,
        10 => 150_000,
        _ => 600_000,
    }
}

/// The middle rate of each column, and the middle of its shares of the first column in the same round.
fn row(window: usize, rounds: &[Vec<f64>]) -> String {
    let cells = (0..rounds[0].len()).map(|column| {
        let rate = median(rounds.iter().map(|rates| rates[column]).collect());
        let share = median(rounds.iter().map(|rates| 100.0 * rates[column] / rates[0]).collect());
        format!("{rate:.0} ({share:.1} %)")
    });
    format!("| {window} | {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn submit() -> Bytes {
    let sm = Sm {
        source_addr: "1001".parse().expect("short"),
        destination_addr: "27820001001".parse().expect("short"),
        short_message: ShortMessage::new("Hello").expect("short"),
        ..Sm::default()
    };
    Pdu::new(CommandStatus::ESME_ROK, 1, Body::SubmitSm(sm)).to_octets()
}

fn submit_resp() -> Bytes {
    let message_id = "00000001".parse().expect("short");
    Pdu::new(CommandStatus::ESME_ROK, 1, Body::SubmitSmResp(Some(MessageId { message_id }))).to_octets()
}

fn bind() -> Bytes {
    let bind = Bind {
        system_id: "smppclient1".parse().expect("short"),
        password: "password".parse().expect("short"),
        interface_version: InterfaceVersion::V3_4,
        ..Bind::default()
    };
    Pdu::new(CommandStatus::ESME_ROK, 1, Body::BindTransmitter(bind)).to_octets()
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// A server on a thread of its own.
#[expect(clippy::disallowed_methods, reason = "both sides must be able to run at the same time")]
fn serve<F: Future<Output = io::Result<()>> + 'static>(
    connection: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let (ready, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().expect("a runtime").block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            ready.send(listener.local_addr().expect("bound")).expect("main waits for it");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                stream.set_nodelay(true).expect("an open socket");
                // One after another: that is how they are measured. One that fails has been hung up on.
                let _ = connection(stream).await;
            }
        });
    });
    address.recv().expect("the thread says where it listens")
}

/// Counts octets; answers as many requests as they make.
async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let (request, response) = (submit().len(), submit_resp());
    let mut input = vec![0; READ_OCTETS];
    let (mut octets, mut output) = (0, Vec::new());
    loop {
        let read = stream.read(&mut input).await?;
        if read == 0 {
            return Ok(());
        }
        octets += read;
        output.clear();
        (0..octets / request).for_each(|_| output.extend_from_slice(&response));
        octets %= request;
        stream.write_all(&output).await?;
    }
}

/// Answers every request with octets made before, and its sequence number.
async fn respond(mut stream: TcpStream) -> io::Result<()> {
    let response = submit_resp();
    let (mut input, mut output) = (BytesMut::with_capacity(READ_OCTETS), Vec::new());
    loop {
        input.reserve(READ_OCTETS);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        output.clear();
        while let Some(octets) = frame(&input) {
            let (command, sequence) = (&input[4..8], &input[12..16]);
            if command == [0, 0, 0, 4] {
                output.extend_from_slice(&response[..12]);
                output.extend_from_slice(sequence);
                output.extend_from_slice(&response[16..]);
            } else {
                let bind = command != [0, 0, 0, 6];
                output.extend_from_slice(&[0, 0, 0, 16 + u8::from(bind), 0x80, 0, 0, command[3], 0, 0, 0, 0]);
                output.extend_from_slice(sequence);
                output.extend_from_slice(if bind { &[0] } else { &[] });
            }
            input.advance(octets);
        }
        stream.write_all(&output).await?;
    }
}

/// The octets of the first frame, when it is whole.
fn frame(input: &[u8]) -> Option<usize> {
    let octets = u32::from_be_bytes(*input.first_chunk()?) as usize;
    (input.len() >= octets).then_some(octets)
}

/// An SMSC in a few lines: every bind is accepted, every message gets an id.
async fn drive(stream: TcpStream) -> io::Result<()> {
    let session = SessionConfig { inbound_window: 2_000, ..SessionConfig::new(Role::Smsc) };
    let mut driver: Driver<TcpStream> = Driver::new(stream, Role::Smsc, session, DriverConfig::default());
    let mut id = 0u32;
    while let Some(event) = driver.next().await {
        let Event::Request(ticket, pdu) = event else { continue };
        let body = match pdu.body {
            Body::SubmitSm(_) => {
                id = id.wrapping_add(1);
                let message_id = COctets::new(format!("{id:08x}").into_bytes()).expect("8 characters");
                Body::SubmitSmResp(Some(MessageId { message_id }))
            }
            Body::BindTransmitter(_) => Body::BindTransmitterResp(Some(BindResp::default())),
            _ => Body::refusal(ticket.command()).expect("a request with a ticket has an answer"),
        };
        driver.respond(ticket, CommandStatus::ESME_ROK, body, Tlvs::new());
    }
    Ok(())
}

/// Keeps `window` requests under way until `count` are answered; how many were answered each second. With an SMSC it binds
/// first, and looks at the length of each answer.
fn bare_client(address: SocketAddr, window: usize, count: usize, smpp: bool) -> io::Result<f64> {
    runtime()?.block_on(async {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut input = BytesMut::with_capacity(READ_OCTETS);
        if smpp {
            stream.write_all(&bind()).await?;
            answers(&mut stream, &mut input, None).await?;
        }
        let requests = submit().repeat(window);
        let (request, response) = (requests.len() / window, (!smpp).then(|| submit_resp().len()));
        let since = Instant::now();
        stream.write_all(&requests).await?;
        let (mut sent, mut answered) = (window, 0);
        while answered < count {
            let more = answers(&mut stream, &mut input, response).await?;
            answered += more;
            let next = more.min(count.saturating_sub(sent));
            sent += next;
            stream.write_all(&requests[..next * request]).await?;
        }
        Ok(count as f64 / since.elapsed().as_secs_f64())
    })
}

/// Reads at least one answer, and how many there are: by octets where all are of one length, else by their lengths.
async fn answers(stream: &mut TcpStream, input: &mut BytesMut, octets: Option<usize>) -> io::Result<usize> {
    let mut answers = 0;
    while answers == 0 {
        input.reserve(READ_OCTETS);
        if stream.read_buf(input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match octets {
            Some(octets) => {
                answers = input.len() / octets;
                input.advance(answers * octets);
            }
            None => {
                while let Some(octets) = frame(input) {
                    input.advance(octets);
                    answers += 1;
                }
            }
        }
    }
    Ok(answers)
}

/// Runs `smpp-transport load`, which is beside the folder of examples, and takes its last line.
fn load(address: SocketAddr, window: usize, count: usize) -> Result<f64, Failure> {
    let program = std::env::current_exe()?.with_file_name("../smpp-transport");
    let arguments =
        ["load", "--host", &address.ip().to_string(), "--port", &address.port().to_string()].map(str::to_owned);
    let sizes = ["--window".to_owned(), window.to_string(), "--count".to_owned(), count.to_string()];
    let output = Command::new(program).args(arguments).args(sizes).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().last().and_then(|line| line.strip_prefix("RATE "));
    rate.ok_or_else(|| format!("load failed: {}", String::from_utf8_lossy(&output.stderr)))?
        .parse()
        .map_err(Failure::from)
}

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn say(text: &str) {
    println!("{text}");
}
