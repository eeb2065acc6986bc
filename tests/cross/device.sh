# device.sh BANYAN SOURCE OTHER: a device on another kind of machine (OTHER runs its program) works with a node on this
# one: joins, fills, syncs, is reviewed, amends; in 64 MiB of disk where we may mount that; its backup is restored here.
. "$2/tests/e2e/lib.sh"
OTHER=$1
o() { "$OTHER" "$@" --key-file "$W/key"; }

make_node F9_session
start_node
mkdir "$W/small"
if mount -t tmpfs -o size=64m none "$W/small" 2>/dev/null; then
	MOUNTED=$W/small
else
	echo "skipped: no disk of 64 MiB may be made here; on this one instead"
fi
store=$W/small/handset
expect 0 "" o join "$store" "$(invite handset SM09010101)"
sessions 200 >"$W/answers"
o submit "$store" F9_session --answers "$W/answers" --json >"$W/out" 2>"$W/err" || fail "submit"
grep -q '"accepted":200,"refused":0' "$W/out" || fail "not all were accepted"
sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p' "$W/out" | sort >"$W/made"
expect 0 "agree" o sync "$store"
ids "$W/node" >"$W/held"
cmp -s "$W/made" "$W/held" || fail "the node holds $(wc -l <"$W/held") records, the device made $(wc -l <"$W/made")"
first=$(head -n 1 "$W/made")
expect 0 "" b review "$W/node" "$first" --state has_issues --note "which day was it"
expect 0 "agree" o sync "$store"
expect 0 "which day was it" o show "$store" "$first"
expect 0 "" o amend "$store" "$first" --set hours=3
expect 0 "agree" o sync "$store"
b show "$W/node" "$first" --json >"$W/out" || fail "show"
grep -q '"hours":3' "$W/out" || fail "the amendment did not arrive: $(cat "$W/out")"
expect 0 "" o check "$store"
expect 0 "" o backup "$store" -o "$W/bundle"
expect 0 "" b restore "$W/bundle" "$W/here"
o list "$store" F9_session --json | sort >"$W/there"
b list "$W/here" F9_session --json | sort | cmp -s - "$W/there" || fail "the backup restored here lists other records"
expect 0 "agree" b sync "$W/here"
pass "a device on another machine: 200 records, a review, an amendment, a backup; $(du -sk "$store" | cut -f1) KiB of disk"
