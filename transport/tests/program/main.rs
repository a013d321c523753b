//! Guards the program as it is run: `send`, SIGHUP, reports, what it writes down, how it binds, TLS; each against the simulator
//! on real sockets.
#![cfg(feature = "cli")]

mod binding;
mod broker;
mod ends;
mod inbound;
mod looking;
mod privacy;
mod reload;
mod reports;
mod send;
#[path = "../servers/rabbitmq.rs"]
#[expect(dead_code, reason = "other tests need the rest")]
mod server;
#[path = "../servers/mod.rs"]
#[expect(dead_code, reason = "other tests need the rest")]
mod servers;
mod tls;
mod wire;
mod world;
