//! How long the codec takes, beside others: `cargo bench -p smpp-transport --bench codec`.

mod peers;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};

/// As many as a stream holds, so that each of its rounds is whole.
const PDUS: u64 = 64;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for pdu in ["submit_sm", "deliver_sm", "submit_sm_resp"] {
        let mut group = criterion.benchmark_group(pdu);
        group.throughput(Throughput::Elements(PDUS));
        for mut operation in peers::operations().into_iter().filter(|operation| operation.pdu == pdu) {
            let id = BenchmarkId::new(operation.what, operation.codec);
            group.bench_function(id, |bencher| bencher.iter(|| (operation.run)(black_box(PDUS))));
        }
    }
    criterion.final_summary();
}
