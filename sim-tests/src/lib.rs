//! Seeded simulation of the SMPP transport and the SMSC simulator.
//!
//! ```text
//! seed ──► plan ──► world (turmoil | fast) ──► history ──► oracles ──► report
//!          data      steps and faults            facts       pure
//!                                                  └─────► trace, time line, capture
//! ```
//!
//! The same seed gives the same history, to the octet and the nanosecond of simulated time.

pub mod app;
pub mod capture;
pub mod history;
pub mod oracle;
pub mod origin;
pub mod plan;
pub mod runner;
pub mod shrink;
pub mod timeline;
pub mod trace;
pub mod transport;
pub mod wire;
pub mod world;
