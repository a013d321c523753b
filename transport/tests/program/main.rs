//! Guards the program as it is run: `send`, SIGHUP, reports, what it writes down, how it binds, TLS; each against the simulator
//! on real sockets.
#![cfg(feature = "cli")]

mod binding;
mod looking;
mod reload;
mod reports;
mod send;
mod tls;
mod world;
