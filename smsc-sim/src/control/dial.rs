//! Dialling an ESME (§2.2.1).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::driver::Accept;
use smpp_transport::pdu::Outbind;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Control, ControlError};
use crate::line::Line;
use crate::mo::FieldError;
use crate::peer::Peer;
use crate::traffic::Tap;

/// Whom to dial, and who the simulator says it is (§4.1.7).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dial {
    /// `host:port` of the ESME.
    pub address: String,
    /// At most 15 characters. Default: the simulator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_id: Option<String>,
    /// At most 8 characters.
    pub password: String,
}

/// How long dialling may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(10);
impl Control {
    /// Dials an ESME and asks it to bind (§2.2.1); gives the connection's number.
    ///
    /// # Errors
    /// When nobody answers, or a field cannot be.
    pub async fn outbind(&self, dial: &Dial) -> Result<u64, ControlError> {
        let outbind = self.outbind_pdu(dial)?;
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::InvalidInput => FieldError::new("address", format!("is {:?}: {error}", dial.address)).into(),
            _ => ControlError::Refused(format!("cannot connect to {}: {error}", dial.address)),
        };
        let connecting = timeout(DIAL_TIMEOUT, TcpStream::connect(&dial.address)).await;
        let stream = connecting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(refused)?;
        // Fails only when the peer has gone already: whoever reads will see it.
        let _ = stream.set_nodelay(true);
        self.outbind_over(stream, &dial.address, outbind, <TcpListener as Accept>::reset)
    }

    /// [`outbind`](Control::outbind) over a stream that is open already, as in a simulated network.
    ///
    /// # Errors
    /// When the simulator stops, or has too many connections.
    pub fn outbind_over<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
        &self,
        stream: S,
        peer: &str,
        outbind: Outbind,
        reset: fn(&mut S),
    ) -> Result<u64, ControlError> {
        let refused = || ControlError::Refused("the simulator has no room for another connection".to_owned());
        let place = self.hub.open(peer.to_owned(), true).ok_or_else(refused)?;
        let number = place.0;
        let line = Line::new(stream, Some(Tap::new(Arc::clone(&self.hub.traffic), number, None, peer.parse().ok())));
        let peer = Peer::new(Arc::clone(&self.hub), place, line, reset);
        self.hub.adopt(Box::pin(peer.run_outbind(outbind)));
        Ok(number)
    }

    fn outbind_pdu(&self, dial: &Dial) -> Result<Outbind, ControlError> {
        let own = self.hub.config.system_id.text();
        let system_id = dial.system_id.as_deref().unwrap_or(&own);
        let wrong = |field: &'static str, words: String| ControlError::Field(FieldError::new(field, words));
        Ok(Outbind {
            system_id: system_id.parse().map_err(|error| wrong("system_id", format!("is {system_id:?}: {error}")))?,
            password: dial
                .password
                .parse()
                .map_err(|error| wrong("password", format!("is too long or has a NUL: {error}")))?,
        })
    }
}
