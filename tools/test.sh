#!/bin/sh
# Build and test everything: tools/test.sh [--quick] [--full]
#   (nothing)  every test under the address and undefined-behaviour sanitizers, and a second compiler's build
#   --quick    without the slow tests and the second compiler
#   --full     also what needs a browser, an office suite, a database or another machine's tools
# Installs the packages that are missing (root or sudo). The last line is ctest's summary.
set -u
CDPATH=
cd "$(dirname "$0")/.." || exit 1
. tools/packages.sh

quick= full=
for word in "$@"; do
	case $word in
	--quick) quick=1 ;;
	--full) full=1 ;;
	-h | --help) sed -n '2,6s/^# \{0,1\}//p' tools/test.sh; exit 0 ;;
	*) echo "tools/test.sh: \"$word\" is no option; use --quick or --full" >&2; exit 64 ;;
	esac
done

jobs=$(nproc)

# build DIRECTORY CMAKE-OPTIONS...: configure once, build; show the compiler's words only when it fails.
build() {
	directory=$1
	shift
	mkdir -p "$directory" && [ -w "$directory" ] || {
		echo "tools/test.sh: $PWD cannot be written to; copy all of it to where you may write" >&2
		return 1
	}
	if ! { cmake -S . -B "$directory" -G Ninja "$@" && nice ninja -C "$directory" -j "$jobs"; } \
		>"$directory/build.log" 2>&1; then
		tail -n 60 "$directory/build.log"
		echo "tools/test.sh: the build in $directory failed; all of it is in $directory/build.log" >&2
		return 1
	fi
}

sections="build core"
[ -z "$quick" ] || sections=build
if ! packages_install $sections; then
	echo "tools/test.sh: packages are missing" >&2
	exit 69
fi
if [ -n "$full" ]; then
	# What is not there is skipped by the tests that need it, and they say so.
	packages_install full || echo "tools/test.sh: going on without the packages of --full" >&2
	BANYAN_FULL=1
	export BANYAN_FULL
fi

echo "Building with gcc, address and undefined-behaviour sanitizers"
build build-asan -DBANYAN_BUILD=asan -DCMAKE_C_COMPILER=gcc || exit 1
if [ -z "$quick" ]; then
	echo "Building the release with clang"
	build build-clang -DBANYAN_BUILD=release -DCMAKE_C_COMPILER=clang || exit 1
fi

echo "Testing"
log=build-asan/ctest.log
set -- --test-dir build-asan -j "$jobs" --output-on-failure
# One expression: of several -LE, ctest leaves out only what all of them name.
without=${quick:+slow}
[ -n "$full" ] || without=${without:+$without|}full
[ -z "$without" ] || set -- "$@" -LE "$without"
{ ctest "$@"; echo $? >build-asan/ctest.rc; } 2>&1 | tee "$log"
status=$(cat build-asan/ctest.rc)
# After a skipped test ctest ends in a list of them: its summary is said again, as the last line.
grep -E '^[0-9]+% tests passed' "$log" | tail -n 1
exit "$status"
