# train.sh BANYAN SOURCE: a form's dictionary: trained at the node, taken by devices, records shorter and the same; a device that has
# not heard of it goes on as before; what was sealed with an older one opens; it survives a backup.
. "$2/tests/e2e/lib.sh"

F=$SOURCE/schemas/forms
make_node F9_session
start_node
join() { # NAME
	line=$(b invite "$W/node" --role member --area SM09010101 --name "$1" --address "$ADDRESS" | grep -o 'banyan1:[^ ]*' | head -n 1)
	expect 0 "" b join "$W/$1" "$line"
	expect 0 "" b sync "$W/$1"
}
join dev
join late
sent() { # DEVICE: bytes out of a sync that sends one record more
	head -n 1 "$F/samples/F9_session.jsonl" >"$W/line"
	expect 0 "1 accepted" b submit "$W/$1" F9_session --answers "$W/line"
	expect 0 "1 records? sent" b sync "$W/$1"
	sed -n 's/.* \([0-9]*\) bytes out.*/\1/p' "$W/out" | head -n 1
}
before=$(sent dev)
expect 0 "a dictionary of [0-9]+ bytes" b form train "$W/node" F9_session
expect 0 '"added":false' b form train "$W/node" F9_session --json
expect 0 "dictionary" b form list "$W/node"
head -n 1 "$F/samples/F9_session.jsonl" >"$W/few"
expect 65 "at least 100" b form train "$W/node" F9_session --answers "$W/few"
expect 64 "from 256 to 8192" b form train "$W/node" F9_session --size 9
expect 66 "F8" b form train "$W/node" F8_none
expect 0 "" b sync "$W/dev"
after=$(sent dev)
[ "$after" -lt "$before" ] || fail "a record takes $after bytes with the dictionary, $before without"
ok "$before bytes without, $after with a dictionary"

# A device that has not synced since works as before. Then a second dictionary, from answers this time.
head -n 2 "$F/samples/F9_session.jsonl" >"$W/line"
expect 0 "2 accepted" b submit "$W/late" F9_session --answers "$W/line"
expect 0 "" b sync "$W/late"
for n in $(seq 120); do cat "$F/samples/F9_session.jsonl"; echo; done | head -n 120 >"$W/many"
expect 0 "a dictionary of 512 bytes" b form train "$W/node" F9_session --answers "$W/many" --size 512
expect 0 "1 accepted" sh -c "head -n 1 '$F/samples/F9_session.jsonl' | '$B' submit '$W/dev' F9_session --answers - --key-file '$W/key'"
expect 0 "" b sync "$W/dev" # sealed with the first, and the second comes down
sent dev >/dev/null
[ "$(b list "$W/node" F9_session --json | grep -c '"id"')" -eq 6 ] || fail "not all records are read"
[ "$(b list "$W/node" F9_session --json | grep -c '"kind":"training"\|"kind"')" -eq 6 ] || fail "answers are not the same"
b list "$W/node" F9_session --json | sed 's/.*"answers"://' | sort | uniq -c | awk '$1 >= 5 { found = 1 } END { exit !found }' ||
	fail "the same answers came out different"

# The dictionaries are in the backup: what is derived can be made anew from it, and devices are told again.
expect 0 "" b backup "$W/node" -o "$W/backup"
stop_node
expect 0 "" b restore "$W/backup" "$W/again"
mv "$W/node" "$W/lost" && mv "$W/again" "$W/node"
expect 0 "" b check "$W/node" --rebuild
[ "$(b list "$W/node" F9_session --json | grep -c '"id"')" -eq 6 ] || fail "after a restore records cannot be read"
start_node
expect 0 "" b sync "$W/late"
sent late >/dev/null
[ "$(b list "$W/node" F9_session --json | grep -c '"id"')" -eq 7 ] || fail "a record after the restore"
stop_node
pass "dictionaries"
