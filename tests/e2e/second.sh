# second.sh BANYAN SOURCE: the device of tests/second, written from the documents alone, and a real node.
. "$2/tests/e2e/lib.sh"
PYTHON=
for python in /usr/bin/python3 python3; do
	[ -n "$PYTHON" ] || ! "$python" -c "import cryptography" 2>/dev/null || PYTHON=$python
done
[ -n "$PYTHON" ] || skip "there is no python3 with the module cryptography (python3-cryptography)"
second() { "$PYTHON" -B "$SOURCE/tests/second/device.py" "$@"; }
# same ANSWERS: the node's officer reads exactly these answers, each once.
same() {
	b list "$W/node" F9_session --json >"$W/list" || fail "list"
	cat >"$W/same.py" <<-'END'
		import json, sys
		sent, got = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
		got = [record["answers"] for record in got]
		sys.exit(sorted(map(repr, (sorted(a.items()) for a in sent))) != sorted(map(repr, (sorted(a.items()) for a in got))))
	END
	"$PYTHON" "$W/same.py" "$1" "$W/list" || fail "other answers than those that were sent"
}

make_node F9_session
start_node
line=$(invite second SM09010101)
expect 76 "typing error" second join "$W/nobody" "$(echo "$line" | sed 's/....$/AAAA/')"
expect 0 '"verified": true' second join "$W/second" "$line"
expect 76 "\(13, " second join "$W/nobody" "$line"
ok "joined, and took forms and areas"

cat >"$W/first" <<'END'
{"kind":"awareness","topic":["referral","csec_basics"],"audience":["parents"],"date":"2025-03-11","hours":2.5,"people/people_f":10,"people/people_m":300,"people/people_child_f":0,"people/people_child_m":0,"people/first_time_n":1,"materials":[{"kind_of":"leaflet","language":"km","n":70000},{"kind_of":"poster","language":"pictures","n":0}],"facilitator_org":"district","cost_local":1250.75,"mode":"paper"}
{"kind":"training","topic":["nr"],"audience":["general"],"date":"2024-02-29","hours":80,"people/people_f":7,"people/people_m":6,"people/people_child_f":0,"people/people_child_m":0,"people/first_time_n":13,"tests/n_tests":13,"tests/pre_mean":41.25,"tests/post_mean":77,"facilitator_org":"nr"}
{"kind":"consultation_with_children","topic":["child_rights"],"audience":["children"],"date":"2025-05-01","hours":1,"people/people_f":9,"people/people_m":8,"people/people_child_f":8,"people/people_child_m":8,"people/first_time_n":0,"people/groups_reached":["out_of_school","disability"],"participation/level":"decided_with_adults","participation/decision_influenced":"dk","participation/feedback_given":"yes","participation/feedback_date":"2025-08-01","participation/feedback_overdue":"yes","facilitator_org":"committee"}
END
expect 0 "" second submit "$W/second" F9_session "$W/first"
expect 0 '"verified": true, "number": 1' second sync "$W/second"
same "$W/first"
expect 0 '"conflicts":\[\]' b show "$W/node" "$(b list "$W/node" F9_session --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')" --json
expect 0 "" b backup "$W/node" -o "$W/evening"
ok "three records in one sealed run, read by the officer as they were sent"

# Later: the node was restarted, another record makes the second parcel of the chain, and a review comes down.
stop_node
start_node
echo '{"kind":"supervision","topic":["safeguarding"],"audience":["officials"],"date":"2025-06-30","hours":0.5,"people/people_f":1,"people/people_m":0,"people/people_child_f":0,"people/people_child_m":0,"people/first_time_n":0,"facilitator_org":"other"}' >"$W/later"
id=$(second submit "$W/second" F9_session "$W/later" | sed 's/.*\["\([0-9a-f]*\)"\].*/\1/')
expect 0 '"verified": true, "number": 2' second sync "$W/second"
expect 0 "" b review "$W/node" "$id" --state has_issues --note "Who was there, បងស្រី?"
expect 0 '"verified": true' second sync "$W/second"
expect 0 "$id\", \"state\": 2, \"note\": \"Who was there, " second notices "$W/second"
cat "$W/first" "$W/later" >"$W/all"
same "$W/all"
expect 0 "all is as it should be" b check "$W/node"
ok "a second parcel, and a review that only this device can open"

expect 0 '"verified": true, "number": 2' second sync "$W/second" --lose-cursor --ask
expect 0 "all is as it should be" b check "$W/node"
grep -q "and 4 records" "$W/out" || fail "something is there twice"
ok "a lost cursor: the node is asked, and nothing is sent twice"

expect 0 '"verified": true, "number": 3, "status": 0' second sync "$W/second" --again F9_session "$W/later"
cat "$W/later" >>"$W/all"
same "$W/all"
ok "a further exchange in the session, in a word"

# A copied handset: both write, and the one that comes second finds that its log has a twin.
cp -r "$W/second" "$W/twin"
for name in second twin; do
	expect 0 "" second submit "$W/$name" F9_session "$W/later"
	cat "$W/later" >>"$W/all"
done
expect 0 '"verified": true, "number": 4' second sync "$W/second"
expect 0 '"verified": true, "number": 1, .*"forked": true' second sync "$W/twin"
same "$W/all"
expect 0 "all is as it should be" b check "$W/node"
ok "a copied handset goes on in a log of its own"

# The node's disk is lost; the backup lacks the second parcel. The node says BEHIND, and is in a new life.
stop_node
mv "$W/node" "$W/lost"
expect 0 "" b restore "$W/evening" "$W/node"
start_node
expect 0 '"verified": true, "number": 4' second sync "$W/second"
expect 0 '"verified": true, "number": 1' second sync "$W/twin"
same "$W/all"
expect 0 "all is as it should be" b check "$W/node"
ok "a restored node gets what it lacks"

# Another key than the pinned one, whichever that is: the device stops.
sed 's/"pin": "#00/"pin": "#11/; t; s/"pin": "#../"pin": "#00/' "$W/second/device.json" >"$W/pin" && mv "$W/pin" "$W/second/device.json"
expect 76 "another key" second sync "$W/second"
expect 0 "shut out" b revoke "$W/node" second --reason "the test is over"
pass "a second device, from the documents"
