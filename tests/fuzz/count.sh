#!/bin/sh
# Fuzz for a number: count.sh EXECUTIONS [BUILD [TARGET...]]
# Runs each target, one after the other, until it has had EXECUTIONS in BUILD (build-count), in slices that are written down
# as they end (BUILD/counted/TARGET: executions, seconds), so that it can be stopped and begun again. Inputs are at
# most 1,024 bytes long ($MAX_LEN); it runs at $NICE (19). The build has the undefined-behaviour sanitizer and coverage only,
# and libFuzzer chooses its inputs evenly, which together is five times as fast as run.sh's build:
#   cmake -S . -B build-count -G Ninja -DBANYAN_BUILD=fuzz -DBANYAN_FUZZ_COUNT=ON -DCMAKE_C_COMPILER=clang
# What it finds interesting goes to BUILD/corpus, and what run.sh found can be copied there. It stops at a finding.
set -u
wanted=${1:?"say how many executions: count.sh EXECUTIONS [BUILD [TARGET...]]"}
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${2:-$root/build-count}
shift; [ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
	for source in "$root"/tests/fuzz/fuzz_*.c; do
		set -- "$@" "$(basename "$source" .c)"
	done
fi
seeds=$build/seeds
mkdir -p "$seeds" "$build/counted" "$build/found"
"$build/tests/fuzz/fuzz_words" "$build/dict" || exit 1
"$build/tests/fuzz/fuzz_seeds" "$root/tests/vectors" "$root/schemas/forms" "$root/tests/fuzz/corpus" "$seeds" || exit 1

for target in "$@"; do
	mkdir -p "$build/corpus/$target"
	log=$build/counted/$target.log
	dict=
	[ ! -e "$build/dict/$target.dict" ] || dict=-dict=$build/dict/$target.dict
	touch "$build/counted/$target"
	while done=$(awk '{ n += $1 } END { print n + 0 }' "$build/counted/$target") && [ "$done" -lt "$wanted" ]; do
		left=$((wanted - done))
		slice=$((wanted / 10 + 1))
		[ "$slice" -le "$left" ] || slice=$left
		begun=$(date +%s)
		if ! nice -n "${NICE:-19}" "$build/tests/fuzz/$target" -runs="$slice" -max_total_time=300 -max_len="${MAX_LEN:-1024}" \
			-timeout=20 -rss_limit_mb=1024 -reload=0 -entropic=0 ${dict:+"$dict"} -artifact_prefix="$build/found/$target-" -print_final_stats=1 \
			"$build/corpus/$target" "$seeds" >"$log" 2>&1; then
			grep -v '^#' "$log" | tail -n 30
			echo "FAIL $target; replay: $build/tests/fuzz/$target $(sed -n 's/.*Test unit written to //p' "$log")"
			exit 1
		fi
		ran=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "${ran:-0} $(($(date +%s) - begun))" >>"$build/counted/$target"
		[ "${ran:-0}" -gt 0 ] || exit 1
	done
	awk -v t="$target" '{ n += $1; s += $2 } END { print "ok   " t ": " n " executions in " s " s" }' \
		"$build/counted/$target"
done
