//! Where HTTP is served: a TCP address, or a socket in the file system.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::{State, router};

/// How long requests may take to end after they were asked to.
const GRACE: Duration = Duration::from_secs(1);
/// Who may write to a socket in the file system: its owner and its group.
#[cfg(unix)]
const SOCKET_MODE: u32 = 0o660;

/// Where to listen: `HOST:PORT`, where port 0 is any that is free, or `unix:PATH`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// A name or IP address, and a port.
    Tcp(String),
    /// The socket's path.
    Unix(PathBuf),
}

/// Why something is no [`Address`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no address to listen on: HOST:PORT or unix:PATH is allowed, as in 127.0.0.1:8080")]
pub struct AddressError(String);

/// A socket that is open, and not served yet.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    name: String,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener, SocketFile),
}

/// Removes the socket's file in the end.
#[cfg(unix)]
#[derive(Debug)]
struct SocketFile(PathBuf);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(wrong()) } else { Ok(Address::Unix(path.into())) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        port.parse::<u16>().map_err(|_| wrong())?;
        if host.is_empty() { Err(wrong()) } else { Ok(Address::Tcp(text.to_owned())) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => f.write_str(address),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listener {
    /// Listens. A socket's file that nobody listens on any more is removed first; the file is its owner's and its group's.
    ///
    /// # Errors
    /// When the address is in use or not this machine's, the name is unknown, or the file cannot be made.
    pub async fn bind(address: &Address) -> io::Result<Listener> {
        let name = address.to_string();
        let socket = match address {
            Address::Tcp(address) => Socket::Tcp(TcpListener::bind(address).await?),
            #[cfg(unix)]
            Address::Unix(path) => unix(path).await?,
            #[cfg(not(unix))]
            Address::Unix(_) => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(Listener { socket, name })
    }

    /// The TCP address that it listens on; none if it is a socket in the file system.
    #[must_use]
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Socket::Unix(..) => None,
        }
    }

    /// Serves until `stopped` completes, and then until all requests are answered, but no longer than a second.
    pub async fn serve(self, state: State, stopped: impl Future<Output = ()> + Send + 'static) {
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let mut stopping = Stopping(stopping);
        let mut told = stopping.clone();
        let router = router(state, &self.name, stopping.clone());
        let served = async move {
            // A connection that fails is its client's affair.
            let _ = match self.socket {
                Socket::Tcp(listener) => serve_on(listener, router, async move { told.stopped().await }).await,
                #[cfg(unix)]
                Socket::Unix(listener, _file) => serve_on(listener, router, async move { told.stopped().await }).await,
            };
        };
        let stop = async move {
            stopped.await;
            stop.send_replace(true);
            std::future::pending::<()>().await;
        };
        let too_long = async move {
            stopping.stopped().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            // It ends when told to; one that never finishes its request is left.
            biased;
            () = served => {}
            () = stop => {}
            () = too_long => {}
        }
    }
}

/// Says when those that wait are to be answered at once.
#[derive(Clone, Debug)]
pub(super) struct Stopping(tokio::sync::watch::Receiver<bool>);

impl Stopping {
    /// Completes when no more waiting is wanted.
    pub(super) async fn stopped(&mut self) {
        // If nobody can say so any more, all has ended.
        let _ = self.0.wait_for(|is_stopping| *is_stopping).await;
    }
}

async fn serve_on<L>(listener: L, router: Router, stopped: impl Future<Output = ()> + Send + 'static) -> io::Result<()>
where
    L: axum::serve::Listener,
    L::Addr: fmt::Debug,
{
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
}

#[cfg(unix)]
async fn unix(path: &std::path::Path) -> io::Result<Socket> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket {
        if tokio::net::UnixStream::connect(path).await.is_ok() {
            let words = format!("{}: somebody listens on it already", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, words));
        }
        std::fs::remove_file(path)?;
    }
    let said = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let listener = tokio::net::UnixListener::bind(path).map_err(said)?;
    let file = SocketFile(path.to_owned());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE)).map_err(said)?;
    Ok(Socket::Unix(listener, file))
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        // Whoever has removed it before was told what it was.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port_or_a_path() {
        for text in ["127.0.0.1:8080", "[::1]:0", "localhost:80", "unix:/run/smpp.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["", "8080", ":80", "localhost", "localhost:http", "unix:", "a:70000"] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is no address")), "{error}");
        }
    }
}
