#!/bin/sh
# Build the release if needed and print what the link, the node and repair cost, beside the targets: tests/bench/run.sh [BUILD]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build-release}
if ! { cmake -S . -B "$build" -G Ninja -DBANYAN_BUILD=release && nice ninja -C "$build" banyan link handshake ingest scale storm repair handset opening; } \
	>/tmp/banyan-bench.$$ 2>&1; then
	tail -n 40 /tmp/banyan-bench.$$
	rm -f /tmp/banyan-bench.$$
	exit 1
fi
rm -f /tmp/banyan-bench.$$
"$build/tests/bench/link" "$build/banyan"
echo
"$build/tests/bench/ingest" "$build/banyan"
"$build/tests/bench/handshake"
"$build/tests/bench/storm" "$build/banyan"
"$build/tests/bench/scale" "$build/banyan"
echo
"$build/tests/bench/repair"
"$build/tests/bench/opening"
echo
"$build/tests/bench/handset" "$build/banyan"
