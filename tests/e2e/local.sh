# local.sh BANYAN SOURCE: a device counts its own referrals into the month's return, offers the committees that it knows, and
# compares who came back with who left: through `submit` and `fill`. What it remembers is small and says nothing of a child.
. "$2/tests/e2e/lib.sh"

F=$SOURCE/schemas/forms
make_node F1_committee F3_departures F4_referral
start_node
line=$(b invite "$W/node" --role member --area SM09010101 --name Hand --address "$ADDRESS" | grep -o 'banyan1:[^ ]*' | head -n 1)
expect 0 "" b join "$W/dev" "$line"
expect 0 "" b sync "$W/dev"

# put FORM JSON [STATUS]
put() { printf '%s\n' "$2" >"$W/lines"; expect "${3:-0}" "" b submit "$W/dev" "$1" --answers "$W/lines"; }
month=$(date +%Y-%m-01)
head -n 3 "$F/samples/F4_referral.jsonl" >"$W/f4"
expect 0 "3 accepted" b submit "$W/dev" F4_referral --answers "$W/f4"

# A month's return in which nobody typed how many: three, as this device made.
one=$(head -n 1 "$F/samples/F1_committee.jsonl" | sed -e "s/\"period\": \"[0-9-]*\"/\"period\": \"$month\"/" \
	-e 's/"month\/referrals_made_n": 2, //')
case $one in *referrals_made_n*) fail "the sample has another shape" ;; esac
put F1_committee "$one"
two=$(printf '%s\n' "$one" | sed 's/"committee_new": "[^"]*"/"committee_pick": "SB-0117"/')
put F1_committee "$two"
three=$(printf '%s\n' "$one" | sed 's/"committee_new": "[^"]*"/"committee_pick": "SB-9999"/')
put F1_committee "$three" 65

# Departures: the month after, more came back than ever left from here. It is taken, with a mark.
gone='"anyone_left":"yes","departure":[{"sex":"female","age_band":"15_17","n":2,"dest_type":"same_district","travel_with":"alone","purpose_said":"work","papers":"own","payment":"none","advance_contact":"yes"}]'
put F3_departures "{\"period\":\"2025-03-01\",$gone,\"returned_n\":0}"
put F3_departures '{"period":"2025-04-01","anyone_left":"no","returned_n":3,"returned_problem":["none"]}'
put F3_departures '{"period":"2025-05-01","anyone_left":"no","returned_n":2,"returned_problem":["none"]}'

# The same lists in `fill`: the committee is offered by name.
printf '%s\n' 1 '' no cpc quit >"$W/answers"
b fill "$W/dev" F1_committee <"$W/answers" >"$W/out" 2>"$W/err"
grep -q 'SB-0117' "$W/out" || fail "fill does not offer the committee"
grep -q 'Code of your committee' "$W/out" && fail "fill asks for a code although a committee was chosen"

expect 0 "" b sync "$W/dev"
b list "$W/node" F1_committee --json >"$W/f1" || fail "list"
[ "$(grep -c '"committee_id":"SB-0117"' "$W/f1")" -eq 2 ] || fail "the chosen committee is another than the written one"
[ "$(grep -c '"month/referrals_counted_n":"3","month/referrals_made_n":3' "$W/f1")" -eq 2 ] || fail "referrals are not counted"
b list "$W/node" F3_departures --json >"$W/f3" || fail "list"
grep '"returned_n":3' "$W/f3" | grep -q '"returned_more":"yes"' || fail "no mark where more came back than left"
grep '"returned_n":2' "$W/f3" | grep -q '"returned_more":"no"' || fail "a mark where none belongs"
expect 0 "" b status "$W/node"
b list "$W/node" F1_committee --json "$W/node" 2>/dev/null | grep -q '"faults":\[{' && fail "the node finds faults"
cat "$W/f1" "$W/f3" | grep -q '"faults":\[[^]]' && fail "the node finds faults in what it cannot work out"
stop_node
pass "what a device knows of its own records"
