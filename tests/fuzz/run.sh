#!/bin/sh
# Fuzz: run.sh SECONDS [BUILD [TARGET...]]
# Runs each target (all of them) for its share of SECONDS, beginning from tests/vectors, the programme's forms, corpus/ and what
# earlier runs found (BUILD/corpus). BUILD (build-fuzz) is made where it is missing; it needs clang. An input that fails is kept in
# BUILD/found, with the command that replays it. The last line is "N passed, N failed".
set -u
seconds=${1:?"say how many seconds: run.sh SECONDS [BUILD [TARGET...]]"}
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${2:-$root/build-fuzz}
shift; [ $# -eq 0 ] || shift

if [ ! -e "$build/CMakeCache.txt" ]; then
	mkdir -p "$build"
	cmake -S "$root" -B "$build" -G Ninja -DBANYAN_BUILD=fuzz -DCMAKE_C_COMPILER=clang >"$build/build.log" 2>&1 &&
		nice ninja -C "$build" >>"$build/build.log" 2>&1 ||
		{ tail -n 20 "$build/build.log"; echo "run.sh: the build failed; see $build/build.log" >&2; exit 1; }
fi
if [ $# -eq 0 ]; then
	for source in "$root"/tests/fuzz/fuzz_*.c; do
		set -- "$@" "$(basename "$source" .c)"
	done
fi
each=$((seconds / $#))
[ "$each" -ge 1 ] || each=1
seeds=$build/seeds
mkdir -p "$seeds" "$build/found"
"$build/tests/fuzz/fuzz_words" "$build/dict" || exit 1
"$build/tests/fuzz/fuzz_seeds" "$root/tests/vectors" "$root/schemas/forms" "$root/tests/fuzz/corpus" "$seeds" || exit 1

passed=0 failed=0
for target in "$@"; do
	mkdir -p "$build/corpus/$target"
	log=$build/corpus/$target.log
	dict=
	[ ! -e "$build/dict/$target.dict" ] || dict=-dict=$build/dict/$target.dict
	if "$build/tests/fuzz/$target" -max_total_time="$each" -max_len=32768 -timeout=10 -rss_limit_mb=1024 ${dict:+"$dict"} \
		-artifact_prefix="$build/found/$target-" -print_final_stats=1 \
		"$build/corpus/$target" "$seeds" >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $each s"
	else
		failed=$((failed + 1))
		grep -v '^#' "$log" | tail -n 30
		echo "FAIL $target; replay: $build/tests/fuzz/$target $(sed -n 's/.*Test unit written to //p' "$log")"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
