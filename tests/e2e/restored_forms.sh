# restored_forms.sh BANYAN SOURCE: after a node was put back its devices have its forms and area table still: they are named by their hash and not
# sent. What the node has new comes whole, also when the link is cut in between.
. "$2/tests/e2e/lib.sh"
received() { sed -n 's/.*"bytes_received":\([0-9]*\).*/\1/p' "$W/out"; }

make_node F1_committee F2_situation F3_departures F4_referral F9_session 
start_node
expect 0 "" b join "$W/one" "$(invite one SM09010101)"
expect 0 "" b join "$W/two" "$(invite two SM09010102)"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
submit one 2 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 "" b backup "$W/node" -o "$W/backup"
stop_node
rm -r "$W/node"
expect 0 "" b restore "$W/backup" "$W/node"
start_node
expect 0 '"verified":true' b sync "$W/one" --json
all=$(received)
[ "$all" -le 4000 ] || fail "$all bytes came down after the node was put back"
expect 0 "F2_situation" b form list "$W/one"
submit one 1 >/dev/null
expect 0 '"verified":true' b sync "$W/one" --json
expect 0 "all is as it should be" b check "$W/one"
ok "forms and areas are not fetched again: $all bytes in all (95 KB before)"

# A form that is new, in the midst of what is known: from there on all comes whole.
cat "$SOURCE/schemas/forms/F9_session.md" | sed 's/F9_session/F9_other/' >"$W/F9_other.md"
expect 0 "" b form add "$W/node" "$W/F9_other.md"
expect 0 '"verified":true' b sync "$W/two" --json
expect 0 "F9_other" b form list "$W/two"
expect 0 '"verified":true' b sync "$W/two" --json
[ "$(received)" -le 600 ] || fail "a second sync brings something: $(cat "$W/out")"
ok "what is new comes, $(received) bytes afterwards"

# A second time: its bodies are in the log before the last.
stop_node
rm -r "$W/node"
expect 0 "" b restore "$W/backup" "$W/node"
start_node
expect 0 '"verified":true' b sync "$W/one" --json
[ "$(received)" -le 4000 ] || fail "$(received) bytes came down the second time"
expect 0 '"verified":true' b sync "$W/one" --json
pass "a node that was put back twice: its devices keep their forms"
