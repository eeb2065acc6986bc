# scope.sh BANYAN SOURCE HOSTILE: an area outside one's scope, pushed and asked for: what the officer reads in status, what the
# device is told, and that nothing of it is listed, shown, counted or lost.
. "$2/tests/e2e/lib.sh"
hostile=$1

make_node F9_session
start_node
device one SM09010101
device two SM09020101
expect 0 "" b join "$W/narrow" "$(invite narrow SM0901 officer)"
expect 0 "" b join "$W/reader" "$(invite reader SM0901 researcher)"
expect 0 "is let in" b devices "$W/node" --approve narrow
expect 0 "is let in" b devices "$W/node" --approve reader
sessions 1 >"$W/answers"
own=$(submit one 1)
theirs=$(submit two 1)
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"

# A program that does not ask itself where it may.
expect 77 "make a record in area SM09020101 goes beyond the area given with the invitation; ask the office that covers it" \
	b submit "$W/one" F9_session --area SM09020101 --answers "$W/answers"
expect 77 "goes beyond the area given with the invitation" b fill "$W/one" F9_session --area SM09020101
"$hostile" scope "$W/one" "$W/key" SM09020101 "$(cat "$W/answers")" >/dev/null || fail "it should have been taken"
aside() { b status "$W/node" --json | grep -q '"error":"E_SCOPE"'; }
until_true 20 aside || fail "it is not set aside"
expect 0 'A parcel from one, who was invited for SM09010101, is kept aside and does not count: it is to make a record in area SM09020101\. Ask there\.' \
	b status "$W/node"
expect 0 'banyan revoke STORE "one" --reason TEXT' b status "$W/node"
expect 0 '"from":"one","area":"SM09010101","error":"E_SCOPE","reason":"to make a record in area SM09020101 goes beyond' \
	b status "$W/node" --json
pushed=$(ids "$W/one" | grep -v "$own")
[ "$(ids "$W/node")" = "$(printf '%s\n' "$own" "$theirs" | sort)" ] || fail "list should tell both honest records and no other"
expect 66 "no record" b show "$W/node" "$pushed"
expect 0 "1 record" b devices "$W/node"
expect 0 "kept aside" b check "$W/node"
ok "pushed: kept, told to the officer, and it does not count"

expect 0 "keeps something that this store sent aside, and it does not count: ask the office" b sync "$W/one"
expect 0 '"verified":true,"kept_aside":true' b sync "$W/one" --json
expect 0 '"kept_aside":false' b sync "$W/two" --json
submit one 1 >/dev/null
expect 0 "1 record sent, 0 waiting" b sync "$W/one"
expect 0 "" b devices "$W/node" --approve one
expect 0 '"kept_aside":false' b sync "$W/one" --json
ok "the device is told until an officer has looked, and its other records count"

# Asked for: an officer of the next commune, and a researcher.
for command in "show RECORD" "review RECORD --state approved" "amend RECORD --set hours=2" "void RECORD --reason mistake"; do
	set -- $(echo "$command" | sed "s/RECORD/$theirs/")
	verb=$1
	shift
	expect 77 "in area SM09020101 goes beyond the area given with the invitation; ask the office that covers it" \
		b "$verb" "$W/narrow" "$@"
done
b list "$W/narrow" F9_session --json >"$W/out" || fail "list of the narrow office"
grep -q "$theirs" "$W/out" && fail "an officer lists a record of another area"
grep -q "$own" "$W/out" || fail "an officer should list the records of its own area"
expect 0 "" b export "$W/narrow" F9_session -o "$W/exported"
grep -rq "$theirs" "$W/exported" && fail "an officer exports a record of another area"
expect 0 "" b extract "$W/reader" --form F9_session --by area:village -o "$W/table"
grep -q "SM0902" "$W/table/table.csv" && fail "a table has rows of another area"
b devices "$W/narrow" >"$W/out" || fail "devices"
grep -q "two" "$W/out" && fail "an officer sees the devices of another area"
expect 77 "goes beyond" b revoke "$W/narrow" two --reason "not mine"
expect 77 "goes beyond" b devices "$W/narrow" --approve two
[ "$(b list "$W/two" F9_session --json | grep -c '"state":"held"')" -eq 1 ] || fail "the other village's record"
expect 0 "agree" b sync "$W/two"
expect 0 "" b check "$W/node"
stop_node
pass "asked for: refused in one sentence, and nothing of it shows"
