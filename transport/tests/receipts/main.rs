//! Guards receipts from the SMSC's octets to the application's events: the service as it runs, against an SMSC that says what
//! the test tells it to say.
#![cfg(feature = "service")]

mod cases;
mod neighbours;
mod stories;
mod world;
