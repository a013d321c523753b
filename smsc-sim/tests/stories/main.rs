//! Guards what the simulator says to ESMEs: binds, legality, operations, limits, receipts, faults on order, the end. Told
//! over pipes in memory, octet by octet as an ESME sees it, with a clock that jumps to whatever is due next.

mod bind;
mod chance;
mod ending;
mod faults;
mod legality;
mod limits;
mod receipts;
mod routing;
mod world;
