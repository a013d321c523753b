#!/bin/sh
# Rates on 127.0.0.1 as shares of what bare sockets do: benches/loopback.sh [host:port of an SMSC to measure too]
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet -p smpp-transport --bin smpp-transport --example loopback
exec target/release/examples/loopback "$@"
