# badday_lost.sh BANYAN SOURCE: a device shut out while it syncs; a node that comes back from yesterday's backup.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
device one SM09010101
device two SM09010102
submit one 4 >"$W/told"
submit two 4 >>"$W/told"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
expect 0 "" b backup "$W/node" -o "$W/yesterday"

# After the backup: more of both, and a third who joined. Then the node's disk is gone.
submit one 3 >>"$W/told"
expect 0 "agree" b sync "$W/one"
submit two 3 >>"$W/told"
expect 0 "agree" b sync "$W/two"
expect 0 "agree" b sync "$W/two"
kill_node
rm -rf "$W/node"
expect 0 "" b restore "$W/yesterday" "$W/node"
start_node
submit two 2 >>"$W/told"
for d in one two; do
	# The first meeting finds out; none is refused, none needs a hand.
	b sync "$W/$d" >"$W/out" 2>"$W/err" || expect 0 "agree" b sync "$W/$d"
	expect 0 "agree" b sync "$W/$d"
done
sort "$W/told" >"$W/filled"
ids "$W/node" >"$W/at_node"
cmp -s "$W/filled" "$W/at_node" ||
	fail "after the restore: $(wc -l <"$W/filled") filled, $(wc -l <"$W/at_node") at the node"
device three SM09010103
submit three 1 >>"$W/told"
begun=$(date +%s%N)
expect 0 "agree" b sync "$W/three"
span=$((($(date +%s%N) - begun) / 1000000 + 1)) # milliseconds: what a sync takes on this machine today
ok "a restored node: the devices offered again, nothing was lost"

# Shut out in the middle of a session, wherever that is: it stands still while the officer speaks. What was
# acknowledged stays, the rest is kept on the device.
sessions 1500 >"$W/answers"
expect 0 "1500 accepted" b submit "$W/three" F9_session --answers "$W/answers"
pause=$(awk -v n="$(number $((span + span / 4)))" 'BEGIN { printf "%.3f", n / 1000 }')
"$B" sync "$W/three" --key-file "$W/key" >"$W/sync" 2>&1 &
syncing=$!
PIDS=$syncing
sleep "$pause"
kill -STOP $syncing 2>/dev/null
expect 0 "" b revoke "$W/node" three --reason "handset stolen"
kill -CONT $syncing 2>/dev/null
wait $syncing
status=$?
PIDS=
# The office's word may be lost with the link: then the next meeting tells.
case $status in
0) echo "it was done before it was shut out" ;;
75) grep -q "connection" "$W/sync" || fail "75 without the sentence: $(cat "$W/sync")" ;;
77) grep -q "shut out.*handset stolen" "$W/sync" || fail "77 without the sentence: $(cat "$W/sync")" ;;
*) fail "exit status $status: $(cat "$W/sync")" ;;
esac
expect 77 "shut out by its office \(handset stolen\)" b sync "$W/three"
{ ids "$W/three" held; ids "$W/three" safe; } | sort >"$W/held"
ids "$W/node" >"$W/at_node"
[ -z "$(comm -23 "$W/held" "$W/at_node")" ] || fail "acknowledged before it was shut out, and not there"
[ "$(b list "$W/three" F9_session --json | grep -c '"id"')" -eq 1501 ] || fail "the device should keep its own list"
expect 0 "agree" b sync "$W/one"
stop_node
pass "shut out while it syncs ($status, $(wc -l <"$W/held") were acknowledged)"
