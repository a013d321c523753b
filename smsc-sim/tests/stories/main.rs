//! Guards what the simulator says to ESMEs: binds, legality, operations, limits, receipts, faults on order, the end. Told
//! over pipes in memory, octet by octet as an ESME sees it, with a clock that jumps to whatever is due next.

mod bind;
mod chance;
mod course;
mod document;
mod ending;
mod esme;
mod faults;
mod flow;
mod forms;
mod hostile;
mod legality;
mod lenient;
mod limits;
mod link;
mod magic;
mod messages;
mod mobile;
mod operations;
mod policies;
mod proofs;
mod receipts;
mod routing;
mod rules;
mod watching;
mod world;
