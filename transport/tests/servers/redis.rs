//! A private Redis.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::servers::{Server, free_port, left_out, program};

/// A Redis.
pub(crate) struct Redis {
    /// Its process.
    pub(crate) server: Server,
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
}

impl Redis {
    /// Starts one that keeps what it knows, each write at once, or one that forgets it with its process. None, with a word about
    /// it, if the program is missing.
    pub(crate) fn start(keeps: bool) -> Option<Redis> {
        let Some(redis) = program(&["redis-server"]) else {
            left_out("redis-server");
            return None;
        };
        let port = free_port();
        let command = move |folder: &Path| {
            let mut command = Command::new(&redis);
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]).arg("--dir").arg(folder);
            command.args(["--appendonly", if keeps { "yes" } else { "no" }, "--appendfsync", "always"]);
            command
        };
        let server = Server::start("redis", command, move || answers(port).unwrap_or(false));
        Some(Redis { server, port })
    }
}

fn answers(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    // It says "-LOADING" until it has read its data.
    Ok(answer == *b"+PONG\r\n")
}
