# badday_twin.sh BANYAN SOURCE: a copied handset. Both copies go on; both branches are kept and nobody is stuck. Then the
# node comes back from a backup older than the fork: what lies in the log from before it is offered again.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
device one SM09010101
submit one 2 >"$W/ids"
expect 0 "agree" b sync "$W/one"
cp -a "$W/one" "$W/copy"

# Both fill in and sync, in turns; each is free to need a second session once the twin is noticed.
for turn in 1 2 3; do
	for d in one copy; do
		submit $d 3 >>"$W/ids"
		b sync "$W/$d" >>"$W/syncs" 2>&1 || b sync "$W/$d" >>"$W/syncs" 2>&1 || fail "$d is stuck: $(tail -n 3 "$W/syncs")"
	done
done
grep -qi "twin" "$W/syncs" || fail "nobody was told of the twin"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/copy"
sort "$W/ids" >"$W/filled"
b list "$W/node" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at_node"
comm -23 "$W/filled" "$W/at_node" >"$W/lost"
[ ! -s "$W/lost" ] || fail "lost: $(cat "$W/lost")"
[ -z "$(uniq -d "$W/at_node")" ] || fail "twice at the node"
if "$B" --help | grep -q '^ *status '; then
	expect 0 "twin|copied|fork" b status "$W/node"
else
	echo "skipped: this program has no status"
fi
ok "a copied handset: $(wc -l <"$W/at_node") records of both"

device two SM09010102
submit two 1 >"$W/ids"
expect 0 "agree" b sync "$W/two"
expect 0 "" b backup "$W/node" -o "$W/yesterday"
submit two 3 >>"$W/ids" # only in the log that the fork will end
expect 0 "agree" b sync "$W/two"
cp -a "$W/two" "$W/copy2"
submit copy2 1 >"$W/lost_with_it"
expect 0 "agree" b sync "$W/copy2"
submit two 2 >>"$W/ids"
b sync "$W/two" >"$W/out" 2>&1 || expect 0 "agree" b sync "$W/two"
rm -rf "$W/copy2"
kill_node
rm -rf "$W/node"
expect 0 "" b restore "$W/yesterday" "$W/node"
start_node
b sync "$W/two" >"$W/out" 2>"$W/err" || expect 0 "agree" b sync "$W/two"
expect 0 "agree" b sync "$W/two"
b list "$W/node" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at_node"
sort "$W/ids" | comm -23 - "$W/at_node" >"$W/lost"
[ ! -s "$W/lost" ] || fail "of the log from before the fork were lost: $(cat "$W/lost")"
[ -z "$(uniq -d "$W/at_node")" ] || fail "twice at the node"
stop_node
pass "a fork, then a restored node: the older log was offered again"
