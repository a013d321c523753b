//! Stories of the transport: what an application and an SMSC see of it, one behaviour each. The SMSC is the simulator.

mod again;
mod hostile;
mod inward;
mod lifetime;
mod outward;
mod proofs;
mod receipts;
mod sharing;
mod world;
