#!/bin/sh
# Build the release if needed and print each row of the five tables of targets (README.md): tests/bench/run.sh [BUILD]
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

cat <<'ROWS'
    on 32-bit ARM, peers of another word size and byte order: tests/cross, by tools/test.sh --full
    a form of 400 questions <= 0.1 s, an answer re-evaluated <= 1 ms: tests/bench/bench_forms

Nothing lost, nobody in: shown by tests, a failing one is no figure
    100,000 simulated device-days, 0 lost, 0 divergences, 0 out of scope    tests/sim --length 100000 (each test run: 2,000 and more)
    1,000 kill -9 under load                                                e2e_kill, e2e_kill_relay, _agent, _sync, _nodes, _opener (COUNT is their argument)
    every power cut that a recording of writes and syncs allows             test_powercut, test_powercut_*
    every byte of every message cut, flipped, repeated, reordered           test_hostile_*, test_session_link, e2e_cuts
    each fuzzer 10,000,000 executions                                       tests/fuzz/count.sh
    disk full, map full, fsync failing, 1970, 2106, clones, old backups     e2e_badday_*, test_store_bad_days
ROWS
