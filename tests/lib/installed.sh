#!/bin/sh
# The library as somebody else uses it: installed into a folder of its own, found by pkg-config, linked, run.
# installed.sh BUILD SOURCE COMPILER FLAGS...
set -eu
build=$1 source=$2 compiler=$3
shift 3
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cmake --install "$build" --prefix "$place" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$place" -name banyan.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$compiler" "$@" -o "$place/installed" "$source/tests/lib/installed.c" \
	$(pkg-config --cflags --libs banyan)
"$place/installed"
"$place/bin/banyan" --version
