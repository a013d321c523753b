//! The SMSC that a tool talks to: its address, TLS, account and kind of bind, as flags.

use std::path::PathBuf;
use std::time::Duration;

use smpp_transport::config::{Smsc, Tls};
use smpp_transport::driver::{ClientConfig, connect_within};
use smpp_transport::pdu::COctets;
use smpp_transport::session::BindKind;

use super::connect::{Line, places};

/// Flags that name an SMSC.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Target {
    /// Host of the SMSC.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port of the SMSC.
    #[arg(long, default_value_t = 2775)]
    port: u16,
    /// Account.
    #[arg(long, default_value = "smppclient1")]
    system_id: COctets<16>,
    /// Password of the account.
    #[arg(long, default_value = "password")]
    password: COctets<9>,
    /// Type of system, if the SMSC wants one.
    #[arg(long, default_value = "")]
    system_type: COctets<13>,
    /// Kind of bind. Default: transmitter, or transceiver where receipts are waited for.
    #[arg(long)]
    bind: Option<Bind>,
    /// Connect over TLS.
    #[arg(long)]
    tls: bool,
    /// PEM file of the authorities that may vouch for the SMSC. Default: those of the system.
    #[arg(long, requires = "tls")]
    tls_ca: Option<PathBuf>,
    /// PEM file of a certificate of our own, with its chain.
    #[arg(long, requires = "tls", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file of the key of that certificate.
    #[arg(long, requires = "tls", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Name that the certificate of the SMSC must have. Default: the host.
    #[arg(long, requires = "tls")]
    tls_server_name: Option<String>,
    /// Accept any certificate.
    #[arg(long, requires = "tls")]
    tls_insecure: bool,
}

/// Kind of bind.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Bind {
    /// bind_transmitter.
    #[value(alias = "tx")]
    Transmitter,
    /// bind_transceiver.
    #[value(alias = "trx")]
    Transceiver,
}

impl Target {
    /// Address as `host:port`.
    pub(super) fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Configuration of a session.
    ///
    /// # Errors
    /// In words, when receipts are wanted on a bind that has none.
    pub(super) fn client(&self, wants_receipts: bool) -> Result<ClientConfig, String> {
        let kind = match self.bind {
            Some(Bind::Transmitter) if wants_receipts => {
                return Err("--bind transmitter: receipts come to a transceiver only".to_owned());
            }
            Some(Bind::Transmitter) => BindKind::Transmitter,
            Some(Bind::Transceiver) => BindKind::Transceiver,
            None if wants_receipts => BindKind::Transceiver,
            None => BindKind::Transmitter,
        };
        let mut config = ClientConfig::new(kind, self.system_id.clone(), self.password.clone());
        config.bind.system_type = self.system_type.clone();
        Ok(config)
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// In words, with the address.
    pub(super) async fn connect(&self, limit: Duration) -> Result<Box<dyn Line>, String> {
        let address = self.address();
        let tls = Tls {
            enabled: self.tls,
            ca: self.tls_ca.clone(),
            cert: self.tls_cert.clone(),
            key: self.tls_key.clone(),
            server_name: self.tls_server_name.clone(),
            insecure: self.tls_insecure,
        };
        let mut places = places(vec![address.clone()], &Smsc { tls, ..Smsc::default() }, None)?;
        let stream = connect_within(&mut places, limit).await;
        stream.map_err(|error| format!("cannot connect to {address}: {error}"))
    }
}
