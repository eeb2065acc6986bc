# badday_door.sh BANYAN SOURCE HOSTILE CLOCK: what comes to the node's door on a bad day: invitations used twice,
# expired, for another node; strangers; records for somebody else's area; noise, half messages, giant lengths and
# connections that say nothing. Each is answered with its sentence, and the node goes on.
. "$2/tests/e2e/lib.sh"
hostile=$1
clock=$2

make_node F9_session
start_node

line=$(invite one SM09010101)
expect 0 "" b join "$W/one" "$line"
expect 77 "used already" b join "$W/again" "$line"
[ ! -e "$W/again" ] || fail "a store is left of a refused join"
expect 73 "already there|already a store" b join "$W/one" "$(invite other SM09010101)"
ok "an invitation works once"

line=$(invite late SM09010102 member --days 1)
stop_node
SHIM="LD_PRELOAD=$clock BANYAN_TEST_CLOCK=$(($(date +%s) + 2 * 86400)) ASAN_OPTIONS=verify_asan_link_order=0"
start_node
expect 77 "expired on" b join "$W/late" "$line"
stop_node
SHIM=
start_node
ok "an invitation expires"

line=$(invite lost SM09010102)
expect 65 "copy the whole line" b join "$W/lost" "$(echo "$line" | cut -c1-60)"
expect 65 "copy the whole line" b join "$W/lost" "$(echo "$line" | tr 'a-c' 'b-d')"
# Another programme's node at the same address shows another key.
stop_node
mkdir "$W/elsewhere"
expect 0 "" b init "$W/elsewhere/node" --programme "Another" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
start_node "$W/elsewhere/node"
expect 76 "not the one" b join "$W/lost" "$line"
expect 76 "not the one" b sync "$W/one"
stop_node
start_node
expect 0 "" b sync "$W/one"
ok "an invitation for another node; another node in our node's place"

expect 77 "STRANGER.*not enrolled" "$hostile" stranger "$(invite nobody SM09010103)"
ok "a stranger's certificate"

submit one 3 >"$W/ids"
expect 0 "" b sync "$W/one"
sessions 1 >"$W/answers"
"$hostile" scope "$W/one" "$W/key" SM09010105 "$(cat "$W/answers")" >"$W/scope" 2>&1
status=$?
b list "$W/node" F9_session --json >"$W/out" || fail "list"
grep -q SM09010105 "$W/out" && fail "a record of another village was taken as its own (exit $status)"
[ "$(grep -c '"id"' "$W/out")" -eq 3 ] || fail "3 records should be listed"
cat "$W/scope"
ok "a record for somebody else's area is not taken"

"$hostile" noise "$ADDRESS" 60 || fail "the node is gone"
for bytes in 00 ff ffffff7f01 ffffffffffffffff01 05 0501 808080808000 deadbeefdeadbeefdeadbeef 83fffe0201 0101 7f7f; do
	expect 0 "then closed" "$hostile" speak "$W/one" "$W/key" "$bytes"
done
submit one 1 >>"$W/ids"
expect 0 "agree" b sync "$W/one"
ok "noise, half messages and giant lengths"

"$hostile" hold "$ADDRESS" 300 >"$W/hold" &
PIDS=$!
until_true 20 grep -q holding "$W/hold" || fail "cannot open 300 connections"
submit one 1 >>"$W/ids"
expect 0 "agree" b sync "$W/one"
[ "$(ids "$W/node" | wc -l)" -eq 5 ] || fail "5 records should be at the node"
stop_node
pass "the node's door"
