# retention.sh PLAIN SOURCE SEARCH CLOCK: a programme says for how long it keeps what; the rules reach the office below and its device.
# Two years later what identifies is swept at the home office, but for a record that was worked on since; what was swept counts on, at the
# office and above, and stays gone after a rebuild, on the device and after an older backup came back. Then whole records go.
# PLAIN does not seal, so that the search of raw files can tell whether anything is left.
. "$2/tests/e2e/lib.sh"
search=$1
clock=$2
DAY=86400
NOW=$(date +%s)
mark() { echo "m$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)"; }
gone() { "$search" "$@" >"$W/out" 2>&1; [ $? -eq 2 ]; }
there() { "$search" "$@" >"$W/out" 2>&1; }
# later DAYS: every program from now on believes that so many days went by.
later() {
	then=$((NOW + $1 * DAY))
	export LD_PRELOAD="$clock" BANYAN_TEST_CLOCK=$then ASAN_OPTIONS=verify_asan_link_order=0
}
# answers NAME FORM: what counts there, without what identifies.
answers() { b list "$W/$1" "$2" --json | sed 's/"m[a-p][a-p]*"/"X"/g; s/"state":"[a-z_]*"/S/' | sort; }
named() { b show "$W/district" "$1" --json | grep -c "$2"; }

head -c 32 /dev/urandom >"$W/key"
awk -F, -v OFS=, 'NR == 1 { print; print "SM,,nation,Serei,"; next } $1 == "SM09" { $2 = "SM" } { print }' \
	"$SOURCE/schemas/areas/demo_province.csv" >"$W/areas.csv"
expect 0 "" b init "$W/nation" --programme "Retention" --areas "$W/areas.csv" --area SM
expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F9_session.md" "$SOURCE/schemas/forms/F4_referral.md"
start_node "$W/nation"
NATION=$ADDRESS
PIDS="$PIDS $NODE_PID"
nation_pid=$NODE_PID
expect 0 "" b join "$W/district" "$(b invite "$W/nation" --role node --area SM0901 --name district --address "$NATION")"
expect 75 "not approved" b sync "$W/district"
expect 0 "let in" b devices "$W/nation" --approve district
expect 0 "agree" b sync "$W/district"

expect 0 "no rules" b retention "$W/nation"
expect 64 "S, Q and O are sealed together" b retention "$W/nation" --class Q --years 2
expect 64 "CLASS" b retention "$W/nation" --years 2
expect 64 "years is a number from 0 to 100, not" b retention "$W/nation" --class D --years 200
expect 66 "no form" b retention "$W/nation" --class D --years 2 --form nothing
expect 0 "every form, what identifies.*730 days" b retention "$W/nation" --class D --years 2
expect 0 "F9_session, the whole record: 900 days" b retention "$W/nation" --class record --days 900 --form F9_session
expect 69 "began the programme" b retention "$W/district" --class D --years 1
expect 0 "agree" b sync "$W/district"
ADDRESS=$HOST:0
start_node "$W/district"
DISTRICT=$ADDRESS
expect 0 "" b join "$W/one" "$(b invite "$W/district" --role member --area SM09010101 --name one --address "$DISTRICT")"
expect 0 "agree" b sync "$W/one"
b retention "$W/nation" --json >"$W/rules"
for name in district one; do
	b retention "$W/$name" --json | cmp -s - "$W/rules" || fail "$name has other rules"
done
grep -q '"class":"record","form":"F9_session","days":900' "$W/rules" || fail "the rules"
ok "rules reach the office below and its device"

for i in 1 2 3 4 5 6; do
	m=$(mark)
	echo "$m" >"$W/m.$i"
	sed -n 1p "$SOURCE/schemas/forms/samples/F4_referral.jsonl" | sed "s/\"Fictitious[^\"]*\"/\"$m\"/g" >"$W/line.$i"
done
cat "$W"/line.[1-5] >"$W/many"
expect 0 "" b submit "$W/one" F4_referral --answers "$W/many"
expect 0 "" b submit "$W/one" F4_referral --answers "$W/line.6"
submit one 2 >/dev/null
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/district"
expect 0 "Nothing is due" b sweep "$W/district"
there "$W/m.6" "$W/district" "$W/one" || fail "the search does not find what is there"
third=$(b list "$W/district" F4_referral --json | grep "$(cat "$W/m.3")" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p')
first=$(b list "$W/district" F4_referral --json | grep "$(cat "$W/m.1")" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "" b backup "$W/district" -o "$W/before"
cp -r "$W/one" "$W/stale"
answers nation F4_referral >"$W/counted"
stop_node

# A year later somebody works on the third one.
later 400
expect 0 "" b amend "$W/district" "$third" --set "child/locate_hint=beside the well"

later 740
expect 0 "5 records stayed as long" b status "$W/district"
expect 0 '"due":5' b status "$W/district" --json
expect 0 "5 records are due" b sweep "$W/district" --dry-run
grep -q "$third" "$W/out" && fail "what was worked on is due"
grep -q "$first F4_referral SM09010101: what identifies, .* 730 days" "$W/out" || fail "the first one is not named"
there "$W/m.1" "$W/district" || fail "a dry run erased"
expect 64 "5 records are due, not 6" b sweep "$W/district" --records 6
expect 0 "5 records are erased" b sweep "$W/district"
for i in 1 2 4 5 6; do
	gone "$W/m.$i" "$W/district" || fail "what identifies in the $i. is still in the office's files"
done
there "$W/m.3" "$W/district" || fail "a neighbour that is not due lost what identifies"
[ "$(named "$third" "$(cat "$W/m.3")")" -eq 1 ] || fail "the neighbour does not show what identifies"
answers district F4_referral >"$W/have"
[ "$(grep -c . "$W/have")" -eq 6 ] || fail "not six records"
# What identifies never came to the nation: what it listed before is what must count now.
grep -v "$third" "$W/counted" >"$W/x"
grep -v "$third" "$W/have" | cmp -s "$W/x" - || fail "what does not identify is not what it was"
expect 0 "were erased: banyan retention" b show "$W/district" "$first"
expect 0 '"erased_identifying":true' b show "$W/district" "$first" --json
grep -q '"consent/consent_basis":' "$W/out" || fail "its other answers are gone"
expect 0 "retention: what identifies for 730 days" b audit "$W/district"
expect 0 "Nothing is due" b sweep "$W/district"
expect 0 "all is as it should be" b check "$W/district"
expect 0 "" b check "$W/district" --rebuild
answers district F4_referral >"$W/again"
cmp -s "$W/have" "$W/again" || { diff "$W/have" "$W/again" | cut -c1-600 | head -6 >"$W/out"; fail "another list after a rebuild"; }
[ "$(named "$third" "$(cat "$W/m.3")")" -eq 1 ] || fail "the neighbour lost it with a rebuild"
expect 0 "all is as it should be" b check "$W/district"
ok "what identifies goes, but for a record that was worked on; the rest counts on"

ADDRESS=$DISTRICT
start_node "$W/district"
expect 0 "agree" b sync "$W/district"
expect 0 "agree" b sync "$W/one"
# What it wrote together with others goes once it hears of two backups that have it.
there "$W/m.1" "$W/one" || fail "what the office may lose goes after one backup"
expect 0 "" b amend "$W/one" "$third" --set "consent/wishes_child=to go to school"
expect 0 "agree" b sync "$W/one"
expect 0 "" b backup "$W/district" -o "$W/after"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/one"
for i in 1 2 4 5 6; do
	gone "$W/m.$i" "$W/one" "$W/nation" || fail "what identifies in the $i. is still on the device, or above"
done
answers nation F4_referral | cmp -s "$W/counted" - || fail "above other records count than before"
expect 0 "were erased: banyan retention" b show "$W/nation" "$first"
ok "on the device, and above"

# One of the five goes altogether; the others of its slice, with or without what identifies, stay.
answers district F4_referral >"$W/have"
expect 0 '"neighbours":3' b erase "$W/district" "$first" --reason "the family asked" --json
answers district F4_referral >"$W/five"
grep -v "$first" "$W/have" | cmp -s - "$W/five" || fail "not the five others as they were"
[ "$(named "$third" "$(cat "$W/m.3")")" -eq 1 ] || fail "the neighbour lost what identifies"
expect 0 "all is as it should be" b check "$W/district"
expect 0 "" b check "$W/district" --rebuild
answers district F4_referral >"$W/again"
cmp -s "$W/five" "$W/again" || fail "another list after a rebuild"
ok "one of them erased altogether"

stop_node
mv "$W/district" "$W/lost"
expect 0 "5 orders" b restore "$W/before" "$W/district"
for i in 1 2 4 5 6; do
	gone "$W/m.$i" "$W/district" || fail "a restore brought what identifies in the $i. back"
done
there "$W/m.3" "$W/district" || fail "a restore lost a neighbour's"
answers district F4_referral | cut -c1-60 >"$W/again"
[ "$(grep -c . "$W/again")" -eq 5 ] || fail "five records after the restore"
expect 0 "all is as it should be" b check "$W/district"
ADDRESS=$DISTRICT
start_node "$W/district"
b sync "$W/stale" >"$W/out" 2>&1
until_true 20 gone "$W/m.1" "$W/district" || fail "a late copy brought it back"
expect 0 "were erased: banyan retention" b show "$W/district" "$(b list "$W/district" F4_referral --json |
	sed -n "/$third/d;1s/^{\"id\":\"\([0-9a-f]*\)\".*/\1/p;2s/^{\"id\":\"\([0-9a-f]*\)\".*/\1/p" | head -1)"
ok "after a restore of an older backup, and when a copy comes late"
stop_node
rm -rf "$W/district"
mv "$W/lost" "$W/district"

later 1500
expect 64 "if the clock is right" b sweep "$W/district"
n=$(b sweep "$W/district" --dry-run --json | grep -c '"state":"due"')
[ "$n" -eq 3 ] || fail "$n records are due instead of 3"
expect 0 '"class":"record"' b sweep "$W/district" --records 3 --json
[ "$(b list "$W/district" F9_session --json | grep -c '"id"')" -eq 0 ] || fail "sessions are still there"
[ "$(b list "$W/district" F4_referral --json | grep -c '"id"')" -eq 5 ] || fail "referrals are gone too"
expect 0 "all is as it should be" b check "$W/district"
kill "$nation_pid"
wait "$nation_pid"
ADDRESS=$NATION
start_node "$W/nation"
expect 0 "agree" b sync "$W/district"
[ "$(b list "$W/nation" F9_session --json | grep -c '"id"')" -eq 0 ] || fail "sessions are still there above"
[ "$(b list "$W/nation" F4_referral --json | grep -c '"id"')" -eq 5 ] || fail "referrals above"
expect 0 "all is as it should be" b check "$W/nation"
pass "whole records"
