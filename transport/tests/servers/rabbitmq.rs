//! A private RabbitMQ, without plugins.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::servers::{Server, free_port, left_out, program};

/// A broker with the user `guest`, and the daemon that Erlang looks it up with.
pub(crate) struct RabbitMq {
    /// Its process.
    pub(crate) server: Server,
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
    _epmd: Server,
}

impl RabbitMq {
    /// Starts one; none, with a word about it, if the program is missing.
    pub(crate) fn start() -> Option<RabbitMq> {
        RabbitMq::start_with(String::new())
    }

    /// The same with lines of configuration of its own.
    pub(crate) fn start_with(configuration: String) -> Option<RabbitMq> {
        // The script itself: the one that Debian has on the path changes the user first.
        let script = program(&["/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"]);
        let (Some(script), Some(epmd)) = (script, program(&["epmd", "/usr/lib/erlang/bin/epmd"])) else {
            left_out("rabbitmq-server");
            return None;
        };
        let (port, distribution, names) = (free_port(), free_port(), free_port());
        let names_daemon = move |_: &Path| {
            let mut command = Command::new(&epmd);
            command.args(["-port", &names.to_string(), "-address", "127.0.0.1"]);
            command
        };
        let _epmd = Server::start("epmd", names_daemon, move || TcpStream::connect(("127.0.0.1", names)).is_ok());
        let broker = move |folder: &Path| {
            std::fs::write(folder.join("rabbitmq.conf"), &configuration).expect("there is room");
            broker(&script, folder, port, distribution, names)
        };
        let server = Server::start("rabbitmq", broker, move || speaks_amqp(port).unwrap_or(false));
        Some(RabbitMq { server, port, _epmd })
    }
}

fn broker(script: &PathBuf, folder: &Path, port: u16, distribution: u16, names: u16) -> Command {
    let mut command = Command::new(script);
    command
        // Its secret cookie is made there.
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", format!("test{port}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("ERL_EPMD_PORT", names.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("plugins"))
        .env("RABBITMQ_CONF_ENV_FILE", folder.join("environment"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq"))
        // Two threads that do not spin: others run beside. The daemon for names runs already.
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -start_epmd false")
        // The broker in place of the script, so that signals reach it.
        .env("RUNNING_UNDER_SYSTEMD", "true");
    command
}

/// Whether the broker answers the first words of the protocol.
fn speaks_amqp(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"AMQP\0\0\x09\x01")?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    // A method's frame; an "A" would be another version.
    Ok(first == [1])
}
