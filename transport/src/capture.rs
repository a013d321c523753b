//! What passes on connections, written down so that Wireshark reads it: the classic pcap format, with the IP packets that
//! TCP would have sent. It knows octets, addresses and times; what the octets mean, and when to write, others know.
//!
//! The packets are made, not caught: each connection has its handshake, its octets in segments with sequence numbers that
//! add up, and its end. So nothing is ever lost or reordered in a capture, whatever the network did, no rights are needed,
//! and what passed under TLS is readable. Passwords are in it as they were sent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use etherparse::{IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, TcpHeader, TcpOptionElement};

/// Octets in one segment: with the headers of IPv6 and TCP they fill an Ethernet frame.
const SEGMENT_OCTETS_MAX: usize = 1440;
/// A window of a gibioctet, so that none is ever full: acknowledgements come with what the other side sends, or at the end.
const WINDOW: u16 = u16::MAX;
const WINDOW_SCALE: u8 = 14;
/// Octets that wait to be written: so that a busy line costs few calls.
const BUFFER_OCTETS: usize = 256 * 1024;
/// The format with nanoseconds, its version, and raw IP packets: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>
const MAGIC: u32 = 0xA1B2_3C4D;
const VERSION: (u16, u16) = (2, 4);
const LINK_TYPE_RAW: u32 = 101;
/// More than any packet here has.
const SNAP_OCTETS: u32 = 65_535;

/// Which way octets go.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Way {
    /// From the ESME to the SMSC.
    FromEsme,
    /// From the SMSC to the ESME.
    ToEsme,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Close {
    /// In order. The side that sends this way closed first.
    Ended(Way),
    /// With a reset, sent this way.
    Reset(Way),
}

/// A capture that is being written. After a failure to write it says so once, in the log, and writes nothing more.
pub struct Capture {
    /// None once writing has failed.
    output: Option<BufWriter<Box<dyn Write + Send>>>,
    connections: BTreeMap<u64, Connection>,
    /// The packet that is being made.
    packet: Vec<u8>,
}

/// An open connection: who talks, and the next sequence number of either side.
struct Connection {
    esme: (SocketAddr, u32),
    smsc: (SocketAddr, u32),
    /// How one side has closed, where the other has not yet.
    half_closed: Option<Close>,
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flag {
    Syn,
    SynAck,
    Ack,
    Push,
    Fin,
    Reset,
}

impl Capture {
    /// A capture in a file of this name, which is made anew. Passwords and texts are in it: nobody else may read a file that
    /// was not there.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path) -> io::Result<Capture> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Capture::new(Box::new(options.open(path)?))
    }

    /// A capture that is written to `output`, through a buffer; see [`flush`](Capture::flush).
    ///
    /// # Errors
    /// When its head cannot be written.
    pub fn new(output: Box<dyn Write + Send>) -> io::Result<Capture> {
        let mut output = BufWriter::with_capacity(BUFFER_OCTETS, output);
        output.write_all(&file_header())?;
        output.flush()?;
        Ok(Capture { output: Some(output), connections: BTreeMap::new(), packet: Vec::new() })
    }

    /// A connection is opened, `at` a time since 1970. Its number is the caller's, and not in use for another that is open.
    /// Where an address is not known, as on simulated networks, both are made up: 10.0.0.1:2775 for the SMSC.
    pub fn open(&mut self, connection: u64, esme: Option<SocketAddr>, smsc: Option<SocketAddr>, at: Duration) {
        let (esme, smsc) = addresses(connection, esme, smsc);
        // Two connections of the same addresses, one after the other, must not begin with the same number; and where one begins
        // with 2^32 - 1, Wireshark takes what follows for a repetition.
        let first = (connection as u32).wrapping_mul(0x9E37_79B9).wrapping_add(0x1000);
        self.connections
            .insert(connection, Connection { esme: (esme, first), smsc: (smsc, !first), half_closed: None });
        self.send(connection, Way::FromEsme, Flag::Syn, &[], at);
        self.send(connection, Way::ToEsme, Flag::SynAck, &[], at);
        self.send(connection, Way::FromEsme, Flag::Ack, &[], at);
    }

    /// Whether this connection is open here.
    #[must_use]
    pub fn is_open(&self, connection: u64) -> bool {
        self.connections.contains_key(&connection)
    }

    /// Octets have passed. Nothing is written for a connection that is not open.
    pub fn data(&mut self, connection: u64, way: Way, octets: &[u8], at: Duration) {
        for segment in octets.chunks(SEGMENT_OCTETS_MAX) {
            self.send(connection, way, Flag::Push, segment, at);
        }
    }

    /// The connection has ended.
    pub fn close(&mut self, connection: u64, how: Close, at: Duration) {
        match how {
            Close::Reset(way) => self.send(connection, way, Flag::Reset, &[], at),
            Close::Ended(way) => {
                self.send(connection, way, Flag::Fin, &[], at);
                self.send(connection, way.back(), Flag::Fin, &[], at);
                self.send(connection, way, Flag::Ack, &[], at);
            }
        }
        self.connections.remove(&connection);
    }

    /// One side has closed, in order or with a reset, and sends nothing more; the other may. Once both have, the connection has
    /// ended. For whoever sees both ends, each with its own time.
    pub fn close_half(&mut self, connection: u64, how: Close, at: Duration) {
        let Some(open) = self.connections.get_mut(&connection) else { return };
        let other = open.half_closed.replace(how);
        match how {
            Close::Reset(way) => self.send(connection, way, Flag::Reset, &[], at),
            Close::Ended(way) => {
                self.send(connection, way, Flag::Fin, &[], at);
                // Nobody is left to say so after a reset.
                if !matches!(other, Some(Close::Reset(_))) {
                    self.send(connection, way.back(), Flag::Ack, &[], at);
                }
            }
        }
        if other.is_some() {
            self.connections.remove(&connection);
        }
    }

    /// Hands on what the buffer holds, so that whoever looks at the capture now sees it. Dropping the capture does it too.
    pub fn flush(&mut self) {
        let flushed = self.output.as_mut().map_or(Ok(()), Write::flush);
        self.look_at(flushed);
    }

    fn send(&mut self, connection: u64, way: Way, flag: Flag, payload: &[u8], at: Duration) {
        let Some(output) = &mut self.output else { return };
        let Some(connection) = self.connections.get_mut(&connection) else { return };
        self.packet.clear();
        let made = connection.packet(way, flag, payload, &mut self.packet);
        let written = made.and_then(|()| {
            output.write_all(&record_header(at, self.packet.len()))?;
            output.write_all(&self.packet)
        });
        self.look_at(written);
    }

    fn look_at(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            tracing::error!(%error, "the capture cannot be written: it stops here");
            // Without another try to write what is buffered.
            let _ = self.output.take().map(BufWriter::into_parts);
            self.connections.clear();
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.flush();
    }
}

impl std::fmt::Debug for Capture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (open, writes) = (self.connections.len(), self.output.is_some());
        f.debug_struct("Capture").field("connections", &open).field("writes", &writes).finish_non_exhaustive()
    }
}

impl Way {
    /// The other one.
    #[must_use]
    pub const fn back(self) -> Way {
        match self {
            Way::FromEsme => Way::ToEsme,
            Way::ToEsme => Way::FromEsme,
        }
    }

    /// As it is written in JSON: `from_esme`, `to_esme`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Way::FromEsme => "from_esme",
            Way::ToEsme => "to_esme",
        }
    }
}

impl Connection {
    fn packet(&mut self, way: Way, flag: Flag, payload: &[u8], packet: &mut Vec<u8>) -> io::Result<()> {
        let (from, to) = match way {
            Way::FromEsme => (&mut self.esme, &self.smsc),
            Way::ToEsme => (&mut self.smsc, &self.esme),
        };
        let mut tcp = TcpHeader::new(from.0.port(), to.0.port(), from.1, WINDOW);
        tcp.syn = matches!(flag, Flag::Syn | Flag::SynAck);
        tcp.ack = flag != Flag::Syn;
        tcp.psh = flag == Flag::Push;
        tcp.fin = flag == Flag::Fin;
        tcp.rst = flag == Flag::Reset;
        tcp.acknowledgment_number = if tcp.ack { to.1 } else { 0 };
        if tcp.syn {
            let mss = TcpOptionElement::MaximumSegmentSize(SEGMENT_OCTETS_MAX as u16);
            tcp.set_options(&[mss, TcpOptionElement::WindowScale(WINDOW_SCALE)]).map_err(io::Error::other)?;
        }
        // SYN and FIN take a number each, like an octet.
        from.1 = from.1.wrapping_add(payload.len() as u32 + u32::from(tcp.syn) + u32::from(tcp.fin));
        let ip = PacketBuilder::ip(ip_headers(from.0.ip(), to.0.ip()));
        ip.tcp_header(tcp).write_to_vec(packet, payload).map_err(io::Error::other)
    }
}

fn ip_headers(from: IpAddr, to: IpAddr) -> IpHeaders {
    match (from, to) {
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let header = Ipv6Header {
                source: from.octets(),
                destination: to.octets(),
                next_header: IpNumber::TCP,
                hop_limit: 64,
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, Default::default())
        }
        (from, to) => {
            let octets = |address| match address {
                IpAddr::V4(address) => address.octets(),
                // `addresses` gives two of one kind.
                IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED.octets(),
            };
            let header = Ipv4Header {
                source: octets(from),
                destination: octets(to),
                protocol: IpNumber::TCP,
                time_to_live: 64,
                dont_fragment: true,
                ..Ipv4Header::default()
            };
            IpHeaders::Ipv4(header, Default::default())
        }
    }
}

/// Two addresses of one kind: the given ones, or made-up ones that are the connection's own.
fn addresses(connection: u64, esme: Option<SocketAddr>, smsc: Option<SocketAddr>) -> (SocketAddr, SocketAddr) {
    let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    if let (Some(esme), Some(smsc)) = (esme.map(plain), smsc.map(plain))
        && esme.is_ipv4() == smsc.is_ipv4()
    {
        return (esme, smsc);
    }
    let [.., high, low] = connection.to_be_bytes();
    let port = 40_000 + (connection >> 16) % 20_000;
    let esme = SocketAddr::from((Ipv4Addr::new(10, 1, high, low), port as u16));
    (esme, SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 2775)))
}

fn file_header() -> [u8; 24] {
    let mut header = [0; 24];
    header[..4].copy_from_slice(&MAGIC.to_le_bytes());
    header[4..6].copy_from_slice(&VERSION.0.to_le_bytes());
    header[6..8].copy_from_slice(&VERSION.1.to_le_bytes());
    header[16..20].copy_from_slice(&SNAP_OCTETS.to_le_bytes());
    header[20..].copy_from_slice(&LINK_TYPE_RAW.to_le_bytes());
    header
}

/// Time, and octets in the file and on the wire: four numbers. Seconds wrap in 2106.
fn record_header(at: Duration, octets: usize) -> [u8; 16] {
    let numbers = [at.as_secs() as u32, at.subsec_nanos(), octets as u32, octets as u32];
    let mut header = [0; 16];
    let (places, _) = header.as_chunks_mut();
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number.to_le_bytes());
    header
}

#[cfg(test)]
mod tests;
