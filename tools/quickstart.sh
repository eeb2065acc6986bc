#!/bin/sh
# From nothing to Banyan doing its whole job, on a Debian 12 base system: tools/quickstart.sh [FOLDER]
# Installs the packages that are missing (root or sudo), builds the program, and plays the story of
# tools/story.sh on real stores and processes in FOLDER (a new one if not said), where you can go on.
set -u
CDPATH=
from=$PWD
cd "$(dirname "$0")/.." || exit 1
. tools/packages.sh

case ${1:-} in
-h | --help) sed -n '2,4s/^# \{0,1\}//p' tools/quickstart.sh; exit 0 ;;
-*) echo "tools/quickstart.sh: \"$1\" is no option" >&2; exit 64 ;;
'' | /*) ;;
*) set -- "$from/$1" ;;
esac

mkdir -p build && [ -w build ] || {
	echo "tools/quickstart.sh: $PWD cannot be written to; copy all of it to where you may write" >&2
	exit 73
}
packages_install build || exit 69
echo "Building"
if ! { cmake -S . -B build -G Ninja -DBANYAN_BUILD=release && ninja -C build banyan; } >build/build.log 2>&1; then
	tail -n 40 build/build.log
	echo "tools/quickstart.sh: the build failed; all of it is in build/build.log" >&2
	exit 1
fi
exec tools/story.sh "$PWD/build/banyan" "$@"
