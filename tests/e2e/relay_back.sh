# relay_back.sh BANYAN SOURCE: a village that nothing but a relay reaches hears what its office says: a question about a record, a
# form's new version, an order to erase; and who carries it finds none of it in what it carries.
. "$2/tests/e2e/lib.sh"

note_form() {
	printf '%s\n' '| survey | | | |' '| | type | name | label |' '| | text | note | Note |' '| settings | | | |' \
		'| | form_id | version | form_title |' "| | N | $1 | Note $1 |" >"$W/N$1.md"
}
# carried NAME: it meets the relay, then the relay the office; what the meeting came to is in $W/met.
carried() {
	start_relay relay --every 0
	expect 0 "" b sync "$W/$1" --via "$RELAY" --json
	cp "$W/out" "$W/met"
	stop_relay
	start_node
	expect 0 "" b sync "$W/relay"
	stop_node
}
met() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$W/met"; }

make_node F9_session
note_form 1
note_form 2
expect 0 "" b form add "$W/node" "$W/N1.md"
start_node
device one SM09010101
device two SM09010102
device relay SM09010103
for d in one two relay; do expect 0 "agree" b sync "$W/$d"; done
stop_node

# relay_back_question: the record goes up; the officer asks; the next meeting but one brings it, and the form.
submit one 2 >"$W/of_one"
record=$(head -n 1 "$W/of_one")
carried one
same "relay_back_question: handed" "$(met parcels_handed)" 1
question=$(mark)
expect 0 "" b review "$W/node" "$record" --state has_issues --note "$question"
expect 0 "" b form add "$W/node" "$W/N2.md"
expect 0 "" b form list "$W/one"
grep -q 'N.* 2' "$W/out" && fail "relay_back_question: the form is there already"
carried one
same "relay_back_question: receipts" "$(met receipts)" 1
same "relay_back_question: handed again" "$(met parcels_handed)" 0
grep -rqF "$question" "$W/relay" && fail "relay_back_question: the relay shows the question"
carried one
[ "$(met received)" -ge 2 ] || fail "relay_back_question: $(cat "$W/met")"
b list "$W/one" F9_session | grep -qF "$question" || b show "$W/one" "$record" | grep -qF "$question" ||
	fail "relay_back_question: the author does not know it"
expect 0 "" b form list "$W/one"
grep -q 'N.* 2' "$W/out" || fail "relay_back_form: $(cat "$W/out")"
echo '{"note":"in the new form"}' >"$W/note"
expect 0 '"accepted":1' b submit "$W/one" N --answers "$W/note" --json
ok "relay_back_question relay_back_form"

# relay_back_amend: what it was asked for goes back up, under the new form as well; nobody else heard of it.
expect 0 "" b amend "$W/one" "$record" --set hours=2
carried one
same "relay_back_amend: handed" "$(met parcels_handed)" 1
[ "$(b list "$W/node" N --json | wc -l)" -eq 1 ] || fail "relay_back_amend: the office has no note"
start_relay relay --every 0
expect 0 "" b sync "$W/two" --via "$RELAY" --json
[ "$(field answers)" = 0 ] || fail "relay_back_amend: two took what is one's"
stop_relay
ok "relay_back_amend"

# relay_back_erase: an order reaches the device, and goes before anything that it would bring again.
expect 0 "" b erase "$W/node" "$record" --reason "asked for"
for i in 1 2; do carried one; done
start_relay relay --every 0
expect 0 "" b sync "$W/one" --via "$RELAY"
stop_relay
ids "$W/one" | grep -q "$record" && fail "relay_back_erase: it is there still"
start_node
expect 0 '"verified":true' b sync "$W/one" --json
[ "$(field parcels_received)" = 0 ] || fail "relay_back_erase: the link brings $(field parcels_received) again"
stop_node
expect 0 "all is as it should be" b check "$W/node"
expect 0 "" b check "$W/one"
pass "a village that nothing but a relay reaches"
