//! Guards that the oracles see: each is shown a good history in which one fact was changed, and must say so by its name.

mod bus;
mod inbound;
mod malformed;
mod outbound;
mod pace;
mod policies;
mod reports;
mod runs;
mod sessions;
mod smsc;
mod smscs;
mod transports;
