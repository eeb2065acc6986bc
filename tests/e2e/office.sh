# office.sh BANYAN SOURCE: the officer's day, through every door: the store itself, the socket of the running node, and TLS
# from an officer's own store; then the evening: check, backup, passphrases, restore, wipe.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
device one SM09010101
expect 0 "" b join "$W/desk" "$(invite desk SM09 officer)"
expect 0 "" b join "$W/narrow" "$(invite narrow SM0901 officer)"
expect 0 "" b join "$W/reader" "$(invite reader SM09 researcher)"
id=$(submit one 1)
half=$(echo "$id" | cut -c1-8)
expect 0 '"state":"waiting"' b show "$W/one" "$half" --json
expect 0 '"answers":null' b show "$W/one" "$half" --json
expect 0 "1 record waits to be sent" b status "$W/one"
expect 0 '"records_waiting":1,"last_sync":"20' b status "$W/one" --json
expect 0 "agree" b sync "$W/one"
expect 0 '"state":"held"' b show "$W/one" "$half" --json

# Approval: the desk asks, and is nobody until an officer says so through the running node.
expect 75 "not approved yet" b show "$W/desk" "$id"
expect 0 'waits to be let in' b devices "$W/node"
expect 66 "nobody is called" b devices "$W/node" --approve nobody
for name in desk narrow reader; do
	expect 0 "is let in" b devices "$W/node" --approve "$name"
done
expect 0 "last seen" b devices "$W/desk"
expect 77 "does not allow" b devices "$W/reader"
expect 69 "done at the node" b devices "$W/one"
ok "enrolment from near and far"

expect 0 '"hours":' b show "$W/desk" "$half" --json
expect 0 "History" b show "$W/node" "$id"
expect 77 "does not allow" b show "$W/reader" "$id"
expect 66 "no record 00000000" b show "$W/desk" 00000000
expect 64 "not a record's id" b show "$W/desk" 123
expect 64 "needs to know why" b review "$W/desk" "$id" --state rejected
expect 0 "has_issues" b review "$W/desk" "$id" --state has_issues --note "count again"
expect 65 'no field "cats"' b amend "$W/node" "$id" --set cats=2
expect 65 "hours" b amend "$W/node" "$id" --set hours=many
expect 65 "people/people_f: ." b amend "$W/node" "$id" --set people/people_f=-1
echo "hours=3" >"$W/set"
expect 0 "corrected" b amend "$W/desk" "$id" --set-file "$W/set"
expect 0 '"hours":3' b show "$W/node" "$id" --json
expect 0 '"author":"desk","role":"officer"' b show "$W/node" "$id" --json
expect 0 "agree" b sync "$W/one"
expect 0 '"note":"count again"' b show "$W/one" "$id" --json
expect 0 "count again" b status "$W/one"
expect 0 '"state":"edited"' b show "$W/node" "$id" --json
expect 0 '^1 record changed since the last review' b status "$W/node"
ok "a review and a correction, and the author learns of it"

# Two who do not know of each other.
expect 0 "next sync" b amend "$W/one" "$id" --set hours=5
expect 0 "" b status "$W/one"
grep -q "count again" "$W/out" && fail "a question that was answered is asked again"
expect 0 "corrected" b amend "$W/node" "$id" --set hours=6
expect 0 "agree" b sync "$W/one"
expect 0 "one says 5" b conflicts "$W/desk"
expect 64 "nothing is in conflict" b resolve "$W/desk" "$id" people/people_f=1
expect 0 "settled" b resolve "$W/desk" "$id" hours=5
expect 0 '"conflicts":\[\]' b show "$W/node" "$id" --json
ok "a conflict is kept, shown and settled"

other=$(submit one 1)
expect 0 "agree" b sync "$W/one"
expect 0 "no longer counts" b void "$W/one" "$other" --reason "twice"
expect 0 "agree" b sync "$W/one"
expect 0 '"state":"void"' b show "$W/node" "$other" --json
expect 65 "was voided" b amend "$W/node" "$other" --set hours=1

# Shut out: what comes later is refused at the door, and stands in nobody's records.
late=$(submit one 1)
expect 0 "shut out" b revoke "$W/desk" one --reason "handset stolen"
expect 77 "shut out" b sync "$W/one"
expect 66 "no record" b show "$W/node" "$late"
expect 0 "desk: revoke one, handset stolen" b audit "$W/node"
expect 0 "hold together" b audit "$W/node" verify
ok "shut out"

# The evening, while the node runs.
expect 0 "all is as it should be" b check "$W/node"
expect 0 "all is as it should be" b check "$W/node" --rebuild
expect 0 '"hours":5' b show "$W/node" "$id" --json
(cd "$W" && expect 0 "and all that belongs to them" b backup node -o evening.banyan) || exit 1
[ -s "$W/evening.banyan" ] || fail "no backup"
expect 73 "already exists" b backup "$W/node" -o "$W/evening.banyan"
expect 0 '"not_backed_up":0' b status "$W/node" --json
echo "Sokha's own passphrase" >"$W/sokha"
echo "not the passphrase" >"$W/wrong"
expect 0 "works at this store now" b passphrase "$W/node" --add-officer Sokha --new-passphrase-file "$W/sokha"
expect 0 "Here: 2 records" "$B" status "$W/node" --passphrase-file "$W/sokha"
expect 77 "does not open" "$B" status "$W/node" --passphrase-file "$W/wrong"
expect 0 "approved" "$B" review "$W/node" "$id" --state approved --passphrase-file "$W/sokha"
expect 0 '"author":"Sokha"' "$B" show "$W/node" "$id" --json --passphrase-file "$W/sokha" --as Sokha
expect 0 '"state":"approved"' b show "$W/node" "$id" --json
expect 77 "does not open" b show "$W/node" "$id" --as Sokha
ok "check, backup and a second officer, through the running node"

# wipe ends the node too.
expect 75 "not sent yet" b wipe "$W/one"
expect 0 '"wiped":true,"checked":true' b wipe "$W/one" --lose-unsent 1 --json
expect 66 "were destroyed" b status "$W/one"
expect 75 "in no backup" b wipe "$W/node"
expect 0 "destroyed" b wipe "$W/node" --lose-unsent 1
wait "$NODE_PID" || fail "the node did not end cleanly"
NODE_PID=
expect 66 "were destroyed" b status "$W/node"
expect 77 "" "$B" restore "$W/evening.banyan" "$W/again" --passphrase-file "$W/wrong"
expect 0 "is in" b restore "$W/evening.banyan" "$W/again"
expect 0 '"hours":5' b show "$W/again" "$id" --json
expect 0 "all is as it should be" b check "$W/again"
expect 0 "was not checked" "$B" wipe "$W/reader" --lose-unsent 9
expect 66 "were destroyed" b status "$W/reader"
pass "the officer's day"
