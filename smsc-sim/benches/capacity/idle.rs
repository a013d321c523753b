//! Sessions that are bound and silent. Bare sockets, so that it is the simulator that works.

use std::net::SocketAddr;
use std::time::Duration;

use smpp_transport::pdu::{Bind, Body, CommandStatus, Empty, InterfaceVersion, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::Failure;
use crate::smsc::Smsc;

pub(crate) struct Seen {
    pub(crate) bound_in: Duration,
    pub(crate) alive_in: Duration,
    pub(crate) unbound_in: Duration,
    /// Resident octets when all have been bound for a while.
    pub(crate) memory: u64,
    /// And when all have gone.
    pub(crate) memory_after: u64,
}

/// Sessions that bind, ask or unbind at once: fewer than a listener lets wait.
const AT_ONCE: usize = 200;
/// How long everything rests before memory is looked at.
const REST: Duration = Duration::from_secs(1);
/// Octets of a header, which is all of some PDUs.
const HEADER: usize = 16;

pub(crate) fn measure(smsc: &Smsc, sessions: usize) -> Result<Seen, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let since = Instant::now();
        let address = smsc.address;
        let streams = each((0..sessions).map(|_| bind(address))).await?;
        let bound_in = since.elapsed();
        sleep(REST).await;
        let memory = smsc.memory()?;
        let since = Instant::now();
        let streams = each(streams.into_iter().map(|stream| ask(stream, Body::EnquireLink(Empty {})))).await?;
        let alive_in = since.elapsed();
        let since = Instant::now();
        let streams = each(streams.into_iter().map(|stream| ask(stream, Body::Unbind(Empty {})))).await?;
        drop(streams);
        let unbound_in = since.elapsed();
        sleep(REST).await;
        Ok(Seen { bound_in, alive_in, unbound_in, memory, memory_after: smsc.memory()? })
    })
}

/// Does these, some at once.
async fn each<F>(work: impl Iterator<Item = F>) -> Result<Vec<TcpStream>, Failure>
where
    F: Future<Output = Result<TcpStream, Failure>> + Send + 'static,
{
    let (mut running, mut streams) = (JoinSet::new(), Vec::new());
    for one in work {
        if running.len() >= AT_ONCE
            && let Some(done) = running.join_next().await
        {
            streams.push(done??);
        }
        running.spawn(one);
    }
    while let Some(done) = running.join_next().await {
        streams.push(done??);
    }
    Ok(streams)
}

async fn bind(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await?;
    let bind = Bind {
        system_id: "smppclient1".parse()?,
        password: "password".parse()?,
        interface_version: InterfaceVersion::V3_4,
        ..Bind::default()
    };
    ask(stream, Body::BindTransceiver(bind)).await
}

/// Sends a request, and wants it granted.
async fn ask(mut stream: TcpStream, request: Body) -> Result<TcpStream, Failure> {
    let answer = request.command_id().answer();
    stream.write_all(&Pdu::new(CommandStatus::ESME_ROK, 1, request).to_octets()).await?;
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let [length, command, status, _] = std::array::from_fn(|place| {
        let octets = header[4 * place..].first_chunk().copied().unwrap_or_default();
        u32::from_be_bytes(octets)
    });
    if answer.is_none_or(|answer| answer.0 != command) || status != 0 {
        return Err(format!("answered with command {command:#010x} and status {status:#x}").into());
    }
    let mut rest = vec![0; (length as usize).saturating_sub(HEADER)];
    stream.read_exact(&mut rest).await?;
    Ok(stream)
}
