//! Runs one operation of the codec benches a number of times, for a counter of instructions: see
//! `benches/instructions.sh`. Without arguments it lists the operations, one a line: PDU, what, codec.

#[path = "../benches/peers/mod.rs"]
mod peers;

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut operations = peers::operations();
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    if let (Some(which), Some(times)) = (arguments.next(), arguments.next()) {
        (operations[usize::try_from(which).expect("a small number")].run)(times);
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    operations.iter().try_for_each(|each| writeln!(out, "{}\t{}\t{}", each.pdu, each.what, each.codec))
}
