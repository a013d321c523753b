#!/bin/sh
# Instructions per PDU of this codec and others, as valgrind counts them: the difference of two runs, so that starting
# and reading the fixtures do not count. Needs valgrind. Arguments: words that a line of the table must contain, if any.
set -eu
cd "$(dirname "$0")/../.."
cargo build --quiet --profile bench -p smpp-transport --example codec_instructions
program="${CARGO_TARGET_DIR:-target}/release/examples/codec_instructions"
few=640
many=6400

count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

which=0
"$program" | while IFS="$(printf '\t')" read -r pdu what codec; do
    case "$pdu $what $codec" in
    *"${1:-}"*)
        per_pdu=$((($(count $which $many) - $(count $which $few)) / (many - few)))
        printf '%-15s %-20s %-16s %6d\n' "$pdu" "$what" "$codec" "$per_pdu"
        ;;
    esac
    which=$((which + 1))
done
