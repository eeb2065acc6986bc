# attached_twins.sh BANYAN SOURCE: two nodes of one office: a photograph brought to either is at both after they met, in a void
# record at neither.
. "$2/tests/e2e/lib.sh"

consent_form
make_node
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
A=$ADDRESS A_PID=$NODE_PID
PIDS="$PIDS $A_PID"
device one SM09010101
expect 0 "" b join "$W/second" "$(invite second SM09 node)"
ADDRESS=$HOST:0
start_node "$W/second"
PIDS="$PIDS $NODE_PID"
ADDRESS=$A
expect 0 "let in" b devices "$W/node" --approve second --address "$(sed -n 's/^listening on //p' "$W/serve.out")"
expect 0 "agree" b sync "$W/second"

# brought to the first, taken by the second: more than one ask each
submit_random one first 600000 >"$W/id1"
expect 0 '"attachments_sent":1' b sync "$W/one" --json
expect 0 "agree" b sync "$W/second"
[ "$(attachments second)" = 1 ] || fail "the second node has no attachment"
same_page second first
ok "from the node that invited to the one that was"

# the first is gone: brought to the second, and given to the first when it is back
expect 0 "agree" b sync "$W/one"
kill -9 "$A_PID"
wait "$A_PID" 2>/dev/null
id2=$(submit_random one second 300000)
expect 0 '"attachments_sent":[1-9]' b sync "$W/one" --json
start_node
PIDS="$PIDS $NODE_PID"
[ "$(attachments node)" = 1 ] || fail "who gave it to the first node?"
expect 0 "agree" b sync "$W/second"
[ "$(attachments node)" = 2 ] || fail "the first node has not got it: $(b check "$W/node")"
same_page node second
ok "and back"

# void at the one: at neither
expect 0 "no longer counts" b void "$W/node" "$id2" --reason "not needed"
expect 0 "agree" b sync "$W/second"
expect 0 "agree" b sync "$W/second"
[ "$(attachments node)" = 1 ] && [ "$(attachments second)" = 1 ] || fail "a void record's: $(attachments node), $(attachments second)"
expect 0 "all is as it should be" b check "$W/second"
pass "what devices attach is at both nodes of an office"
