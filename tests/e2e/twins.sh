# twins.sh BANYAN SOURCE: two nodes of one office share its key. Devices use the one; it is killed in mid-use, they go on with
# the other, which reads all; when the first is back both hold the same: no acknowledged record is lost, none is there twice.
. "$2/tests/e2e/lib.sh"

make_node F9_session F4_referral
start_node
A=$ADDRESS
A_PID=$NODE_PID
PIDS="$PIDS $A_PID"
device one SM09010101
device two SM0902
submit one 2 >"$W/sent"
expect 0 "agree" b sync "$W/one"

expect 0 "" b join "$W/second" "$(invite second SM09 node)"
ADDRESS=$HOST:0
start_node "$W/second"
PIDS="$PIDS $NODE_PID"
B_ADDRESS=$ADDRESS
ADDRESS=$A
expect 64 "second node of this very office" b devices "$W/node" --approve one --address "$B_ADDRESS"
expect 0 "let in" b devices "$W/node" --approve second --address "$B_ADDRESS"
expect 0 "agree" b sync "$W/second"
ids "$W/second" >"$W/at_b"
sort "$W/sent" | cmp -s - "$W/at_b" || fail "what was there before is not at the second node"
expect 0 '"elsewhere"|"hours":' b show "$W/second" "$(head -1 "$W/sent")" --json
! grep -q elsewhere "$W/out" || fail "a twin does not read all"
expect 0 "" b submit "$W/one" F4_referral --answers "$SOURCE/schemas/forms/samples/F4_referral.jsonl"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
expect 0 "agree" b sync "$W/second"
referral=$(b list "$W/second" F4_referral --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
b show "$W/second" "$referral" >"$W/read_b"
b show "$W/node" "$referral" >"$W/read_a"
grep -q Fictitious "$W/read_b" || fail "the second node does not read what identifies"
cmp -s "$W/read_a" "$W/read_b" || fail "the two nodes say different things of one record"
ok "a second node reads what the first one reads"

# Killed at a random moment of a busy device.
(
	for i in 1 2 3 4 5 6; do
		submit one 2 >>"$W/sent"
		b sync "$W/one" >>"$W/busy" 2>&1
	done
) &
busy=$!
sleep 0.$(number 10)
kill -9 "$A_PID"
wait "$A_PID" 2>/dev/null
wait "$busy"
expect 0 "agree" b sync "$W/one"
submit two 3 >>"$W/sent"
expect 0 "agree" b sync "$W/two"
expect 0 "has_issues" b review "$W/second" "$referral" --state has_issues --note "from the second node"
expect 0 "agree" b sync "$W/one"
expect 0 "from the second node" b show "$W/one" "$referral"
expect 75 "cannot reach" b sync "$W/second"
ok "devices go on with the other node"

start_node
PIDS="$PIDS $NODE_PID"
expect 0 "agree" b sync "$W/second"
sort "$W/sent" >"$W/all"
for store in node second; do
	ids "$W/$store" >"$W/at"
	cmp -s "$W/all" "$W/at" || fail "$store does not hold each record once: $(wc -l <"$W/at") of $(wc -l <"$W/all")"
	expect 0 "all is as it should be" b check "$W/$store"
done
expect 0 '"review":"has_issues"' b show "$W/node" "$referral" --json
expect 0 "" b revoke "$W/node" two --reason lost
expect 0 "agree" b sync "$W/second"
expect 0 "shut out" b devices "$W/second"
expect 77 "shut out" b sync "$W/two"
pass "two nodes of one office, $(wc -l <"$W/all") records, none lost, none twice"
