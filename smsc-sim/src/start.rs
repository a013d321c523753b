//! Starting a simulator on real sockets: what to listen on, and the handle to what runs then.

use std::io;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::capture::Capture;
use smpp_transport::env::SystemClock;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::config::{Account, Config};
use crate::control::Control;
use crate::hub::Hub;
use crate::policy::Policy;
use crate::rules::{Rule, RuleSet};
use crate::tls::TlsAccept;
use crate::{http, listen, store};

/// A simulator that is being put together. By default it listens on a free port of 127.0.0.1, and serves no HTTP.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    config: Config,
    own_accounts: bool,
    listen: Vec<String>,
    tls: Option<Tls>,
    http: Option<String>,
    data_dir: Option<PathBuf>,
    capture: Option<PathBuf>,
    wrong: Option<String>,
}

/// Where to serve SMPP over TLS, and with what.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Addresses to listen on.
    pub listen: Vec<String>,
    /// PEM file with the certificate and those that it rests on. Default: one made at the start, for localhost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the certificate's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// PEM file with the authorities whose clients may connect. Default: whoever comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    fn accept(&self, listener: TcpListener) -> Result<TlsAccept, String> {
        let ca = self.client_ca.as_deref();
        let accept = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => TlsAccept::new(listener, certificate, key, ca),
            (None, None) => TlsAccept::self_signed(listener, ca),
            (Some(_), None) => {
                return Err("certificate is given and key is not: both are wanted, or neither".to_owned());
            }
            (None, Some(_)) => {
                return Err("key is given and certificate is not: both are wanted, or neither".to_owned());
            }
        };
        accept.map_err(|error| error.to_string())
    }
}

/// Why a simulator does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration cannot be, in words that name the field, its value and what is allowed.
    #[error("{0}")]
    Config(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: String,
    },
}

impl Builder {
    /// Another account that may bind; the first takes the place of `smppclient1`.
    #[must_use]
    pub fn account(self, system_id: &str, password: &str) -> Builder {
        self.account_with(Account::new(system_id, password))
    }

    /// Another account that may bind, with all its settings.
    #[must_use]
    pub fn account_with(mut self, account: Account) -> Builder {
        if !std::mem::replace(&mut self.own_accounts, true) {
            self.config.accounts.clear();
        }
        self.config.accounts.push(account);
        self
    }

    /// Another address to listen on; port 0 picks a free one.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Builder {
        self.listen.push(address.to_owned());
        self
    }

    /// Serves SMPP over TLS too.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Builder {
        self.tls = Some(tls);
        self
    }

    /// Serves the HTTP API and the console.
    #[must_use]
    pub fn http(mut self, address: &str) -> Builder {
        self.http = Some(address.to_owned());
        self
    }

    /// From which all chance is drawn. Default 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Builder {
        self.config.seed = seed;
        self
    }

    /// What goes wrong, behind the rules that there are already.
    #[must_use]
    pub fn rules(mut self, rules: Vec<Rule>) -> Builder {
        self.config.rules.extend(rules);
        self
    }

    /// What goes wrong, by the name of a built-in set, behind the rules that there are already.
    #[must_use]
    pub fn rule_set(mut self, name: &str) -> Builder {
        match RuleSet::named(name) {
            Ok(set) => self.config.rules.extend(set.rules()),
            Err(words) => self.wrong = Some(words),
        }
        self
    }

    /// What becomes of messages.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Builder {
        self.config.policy = policy;
        self
    }

    /// Keeps messages and what is due in this directory, and goes on with what is there.
    #[must_use]
    pub fn data_dir(mut self, path: impl AsRef<Path>) -> Builder {
        self.data_dir = Some(path.as_ref().to_owned());
        self
    }

    /// Writes all that passes to a capture file.
    #[must_use]
    pub fn capture(mut self, path: impl AsRef<Path>) -> Builder {
        self.capture = Some(path.as_ref().to_owned());
        self
    }

    /// Changes whatever else there is.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut Config)) -> Builder {
        change(&mut self.config);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the configuration cannot be, an address cannot be listened on, or a file cannot be read.
    pub async fn start(self) -> Result<SmscSim, StartError> {
        if let Some(words) = self.wrong {
            return Err(StartError::Config(words));
        }
        let clock = Arc::new(SystemClock);
        let traffic = self.config.traffic(Arc::clone(&clock) as _);
        if let Some(path) = &self.capture {
            let failed = |error: io::Error| StartError::File { path: path.clone(), error: error.to_string() };
            traffic.set_capture(Some(Capture::create(path).map_err(failed)?));
        }
        let control = Control::with_traffic(self.config, clock, Arc::new(traffic)).map_err(StartError::Config)?;
        let mut others = JoinSet::new();
        if let Some(path) = &self.data_dir {
            let store = store::Store::open(path, &control.hub).await;
            let store = store.map_err(|error| StartError::File { path: path.clone(), error })?;
            others.spawn(store.keep(Arc::clone(&control.hub)));
        }
        let mut sim = SmscSim {
            control,
            addresses: Vec::new(),
            tls_addresses: Vec::new(),
            http_address: None,
            listeners: JoinSet::new(),
            others,
        };
        let addresses =
            if self.listen.is_empty() && self.tls.is_none() { vec![FREE_PORT.to_owned()] } else { self.listen };
        for address in addresses {
            let (listener, address) = bind(&address).await?;
            sim.addresses.push(address);
            let hub = Arc::clone(&sim.control.hub);
            sim.listeners.spawn(async move { listen(listener, &hub).await });
        }
        if let Some(tls) = self.tls {
            sim.listen_with_tls(&tls).await?;
        }
        if let Some(given) = self.http {
            let (listener, address) = bind(&given).await?;
            sim.http_address = Some(address);
            let (control, smpp) = (sim.control.clone(), sim.address().to_string());
            let places = http::Places { http: given, smpp };
            sim.others.spawn(http::serve(listener, control, places));
        }
        if self.capture.is_some() {
            sim.others.spawn(write_capture(Arc::clone(&sim.control.hub)));
        }
        let hub = Arc::clone(&sim.control.hub);
        sim.others.spawn(async move {
            tokio::select! {
                biased;
                () = hub.until_ended() => {}
                () = hub.live() => {}
            }
        });
        Ok(sim)
    }
}

/// How often a capture is written out.
const CAPTURE_INTERVAL: Duration = Duration::from_millis(200);
const FREE_PORT: &str = "127.0.0.1:0";

/// Lets nobody who looks into the capture wait for long.
async fn write_capture(hub: Arc<Hub>) {
    loop {
        tokio::select! {
            biased;
            () = hub.until_ended() => return hub.traffic.flush(),
            () = sleep(CAPTURE_INTERVAL) => hub.traffic.flush(),
        }
    }
}

async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { address: address.to_owned(), error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A simulator that runs until it is stopped or dropped. It derefs to its [`Control`].
#[derive(Debug)]
pub struct SmscSim {
    control: Control,
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    http_address: Option<SocketAddr>,
    listeners: JoinSet<()>,
    /// What serves them all, and ends after them.
    others: JoinSet<()>,
}

impl SmscSim {
    /// Puts one together.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens, first of all without TLS.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        // There is one: without any, `start` takes a free port.
        self.addresses.first().or(self.tls_addresses.first()).copied().unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }

    /// Everywhere it listens without TLS.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Everywhere it listens with TLS.
    #[must_use]
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// Where it serves HTTP.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
    }

    /// A handle that may be given away.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Unbinds the sessions, closes what is left after ten seconds, and ends.
    pub async fn stop(mut self) {
        self.control.stop();
        // A task only ends early by a panic, which the test that runs it has seen.
        while self.listeners.join_next().await.is_some() {}
        self.control.hub.end();
        while self.others.join_next().await.is_some() {}
    }

    async fn listen_with_tls(&mut self, tls: &Tls) -> Result<(), StartError> {
        for address in &tls.listen {
            let (listener, address) = bind(address).await?;
            let accept = tls.accept(listener).map_err(|words| StartError::Config(format!("tls: {words}")))?;
            self.tls_addresses.push(address);
            let hub = Arc::clone(&self.control.hub);
            self.listeners.spawn(async move { listen(accept, &hub).await });
        }
        Ok(())
    }
}

impl Deref for SmscSim {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}
