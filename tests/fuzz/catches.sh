#!/bin/sh
# A target with a planted bug: run.c finds it in inputs made from a seed that is good, writes the input, and says a command
# that finds it again.
set -u
program=${1:?"say which program: catches.sh PROGRAM"}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset BANYAN_FUZZ_COUNT BANYAN_FUZZ_SEED
# Two strings, whole.
printf '02 61 62\n03 63 64 65 # the second\n' >"$work/good.hex"

fail() { echo "catches.sh: $1"; cat "$work/log"; exit 1; }

PLANTED=must "$program" "$work/good.hex" >"$work/log" 2>&1 || fail "the good seed is taken for bad"
for kind in must signal hang; do
	export PLANTED=$kind
	"$program" "$work/good.hex" --count 2000 --seed 1 --limit 1 --found "$work" >"$work/log" 2>&1
	[ $? -eq 1 ] || fail "a planted \"$kind\" is not found"
	replay=$(sed -n 's/^replay: //p' "$work/log")
	[ -s "${replay##* }" ] || fail "the input of a planted \"$kind\" is not written"
	[ "$kind" != hang ] || grep -q "more than 1 s" "$work/log" || fail "a hang is called otherwise"
	$replay --limit 1 --found "$work" >"$work/log" 2>&1
	[ $? -eq 1 ] || fail "the replay of a planted \"$kind\" finds nothing"
done
echo "planted bugs are found, and again by their replay"
