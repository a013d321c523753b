//! `outbind.listen`: the SMSC connects, says outbind, and is bound to as a receiver (SMPP 3.4 §2.2.1, §4.1.7).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use smpp_transport::config::{Outbind as Options, Smsc};
use smpp_transport::driver::Connect;
use smpp_transport::pdu::{Body, Leniency, Outbind, Pdu, next_frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::connect::Line;
use super::tap::Taps;

/// Callers that may be about to say outbind, at most; more are taken when one of these is done.
const CALLERS_MAX: usize = 16;
/// How long to wait when nobody can be taken, as when there are no file descriptors left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// A header, and both texts at their longest, which lenient reading allows to be longer still.
const OUTBIND_OCTETS_MAX: usize = 256;

/// Waits for SMSCs that dial. Clones share the place where they do.
#[derive(Clone)]
pub(super) struct Dialled {
    listener: Arc<TcpListener>,
    options: Options,
    /// How long a caller may take to say outbind.
    patience: Duration,
    taps: Option<Taps>,
    /// Peer of the connection that was taken last.
    peer: Option<SocketAddr>,
}

impl Dialled {
    /// Listens where the configuration says; none if it says nowhere.
    ///
    /// # Errors
    /// When nobody can listen there.
    pub(super) async fn bind(smsc: &Smsc, taps: Option<Taps>) -> Result<Option<Dialled>, String> {
        let Some(place) = &smsc.outbind.listen else { return Ok(None) };
        let failed = |error: io::Error| format!("outbind.listen: {place}: {error}");
        let listener = TcpListener::bind(place).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tracing::info!(%address, "the SMSC is waited for");
        let (options, patience) = (smsc.outbind.clone(), smsc.connect_timeout);
        Ok(Some(Dialled { listener: Arc::new(listener), options, patience, taps, peer: None }))
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Fails only when the caller has gone already: whoever reads will see it.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
                }
                Err(error) => {
                    tracing::warn!(%error, "outbind.listen: cannot accept");
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// The line of a caller that has said outbind, and may.
    async fn hear(&self, (stream, peer): (TcpStream, SocketAddr)) -> Option<(Box<dyn Line>, SocketAddr)> {
        let ours = stream.local_addr().ok();
        let mut line: Box<dyn Line> = match &self.taps {
            Some(taps) => taps.tap(Box::new(stream), ours, Some(peer)),
            None => Box::new(stream),
        };
        let heard = timeout(self.patience, outbind(&mut line)).await;
        let heard = heard.unwrap_or_else(|_| Err(format!("it said nothing within {:?}", self.patience)));
        match heard.and_then(|outbind| self.judge(&outbind)) {
            Ok(()) => {
                tracing::info!(%peer, "outbind");
                Some((line, peer))
            }
            Err(words) => {
                tracing::warn!(%peer, "hung up on: {words}");
                let _ = line.shutdown().await;
                None
            }
        }
    }

    /// Whether it is the SMSC. Outbind has no answer (§4.1.7.1): whoever is not is hung up on.
    fn judge(&self, outbind: &Outbind) -> Result<(), String> {
        let Options { system_id, password, .. } = &self.options;
        if system_id.as_ref().is_some_and(|wanted| wanted.as_bytes() != outbind.system_id.as_bytes()) {
            return Err(format!("its system_id is {:?}", outbind.system_id.text()));
        }
        if password.as_ref().is_some_and(|wanted| wanted.reveal().as_bytes() != outbind.password.as_bytes()) {
            return Err("its password is another".to_owned());
        }
        Ok(())
    }
}

impl Connect for Dialled {
    type Stream = Box<dyn Line>;

    /// Waits until the SMSC dials, however long that takes. Callers that say nothing keep nobody out.
    async fn connect(&mut self) -> io::Result<Box<dyn Line>> {
        self.peer = None;
        let (line, peer) = self.next_caller().await;
        self.peer = Some(peer);
        Ok(line)
    }

    fn peer(&self) -> Option<String> {
        self.peer.map(|peer| peer.to_string())
    }
}

impl Dialled {
    async fn next_caller(&self) -> (Box<dyn Line>, SocketAddr) {
        let mut callers = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(heard) = callers.next(), if !callers.is_empty() => if let Some(found) = heard {
                    return found;
                },
                caller = self.accept(), if callers.len() < CALLERS_MAX => callers.push(self.hear(caller)),
            }
        }
    }
}

/// The first PDU, and not an octet more.
async fn outbind(line: &mut Box<dyn Line>) -> Result<Outbind, String> {
    let words = |error: io::Error| format!("it said no outbind: {error}");
    let mut octets = BytesMut::zeroed(4);
    line.read_exact(&mut octets).await.map_err(words)?;
    let length = octets.first_chunk().map_or(0, |length| u32::from_be_bytes(*length)) as usize;
    if !(16..=OUTBIND_OCTETS_MAX).contains(&length) {
        return Err(format!("its first PDU is no outbind: it claims {length} octets"));
    }
    octets.resize(length, 0);
    line.read_exact(&mut octets[4..]).await.map_err(words)?;
    let frame = next_frame(&mut octets, OUTBIND_OCTETS_MAX).map_err(|error| error.to_string())?;
    let pdu = Pdu::decode(&frame.unwrap_or_default(), Leniency::TOLERANT).map_err(|error| error.to_string())?;
    tracing::trace!(target: smpp_transport::driver::PDUS, "< {pdu}");
    match pdu.body {
        Body::Outbind(outbind) => Ok(outbind),
        _ => Err(format!("its first PDU is {}, not outbind", pdu.command_id().printed())),
    }
}
