# replace_below.sh BANYAN SOURCE: an office below another one loses its computer. From nothing but what the README told its officer to keep
# (a backup and STORE.recovery), and the word of the root's holder, comes a successor at the same address: no device is touched, the office
# above takes it, and what was sealed to the old key is readable.
. "$2/tests/e2e/lib.sh"
head -c 32 /dev/urandom >"$W/key"
node_of() { sed -n 's/^node //p' "$W/safe/north.recovery" | tail -1; }
replace() { expect "$1" "$2" "$B" replace "$W/north" "$(node_of)" --new-key-file "$W/key" "$3" "$4" "$5" "$6" ${7:-}; }
line() { b invite "$W/nation" --role node --area "$2" --name "$1" --address "$(cat "$W/nation.address")"; }
all_agree() { for d in one two; do expect 0 "agree" b sync "$W/$d"; done; }
# dead: killed, and its store is somewhere else.
dead() {
	kill -9 "$(cat "$W/north.pid")"
	mv "$W/north" "$W/gone.$1"
	rm -f "$W/north.successor"
}
# served_by WHO: the successor's two words: the root's, and the office above's, as WHO.
two_words() {
	expect 64 "asks for the office for SM0901" "$B" vouch "$W/north.successor" --root "$W/safe/nation.root" --area SM0902 -o "$W/word.$1"
	expect 0 "in the place of" "$B" vouch "$W/north.successor" --root "$W/safe/nation.root" --area SM0901 -o "$W/word.$1"
	expect 0 "take this one for its successor" b replace "$W/north" "$(node_of)" --word "$W/word.$1"
}

expect 0 "" b init "$W/nation" --programme "Below" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F9_session.md"
up nation
below north nation node SM0901
[ -s "$W/north.recovery" ] || fail "no recovery file was written"
mkdir "$W/safe"
mv "$W/north.recovery" "$W/nation.root" "$W/safe/"
expect 0 "let in" b devices "$W/nation" --approve north
expect 0 "agree" b sync "$W/north"
up north
below one north member SM09010101
below two north member SM09010102
submit one 2 >/dev/null
submit two 1 >/dev/null
all_agree
expect 0 "agree" b sync "$W/north"
expect 0 "" b backup "$W/north" -o "$W/safe/backup"
submit one 2 >/dev/null
expect 0 "agree" b sync "$W/one"
submit two 1 >/dev/null

# 1. The computer broke: the same node again, out of the backup by the recovery key.
dead broke
replace 66 "" --recovery "$W/safe/nation.root" --backup "$W/safe/none" 
replace 77 "" --recovery "$W/safe/nation.root" --backup "$W/safe/backup"
replace 0 "noted in the recovery file|The successor" --recovery "$W/safe/north.recovery" --backup "$W/safe/backup"
up north
all_agree
expect 0 "agree" b sync "$W/north"
same "north's records" "$(count north F9_session)" 6
same "the nation's" "$(count nation F9_session)" 6
ok "broken: back from the backup by its recovery file"

# 2. It was stolen: keys of its own. The root says whom it follows, the office above lets it in and shuts the old one out.
expect 0 "" b backup "$W/north" -o "$W/safe/backup2"
dead stolen
replace 0 "needs two words" --recovery "$W/safe/north.recovery" --backup "$W/safe/backup2" --new-key
expect 0 "" b init "$W/other" --programme "Other" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM0901
expect 64 "another programme" "$B" vouch "$W/north.successor" --root "$W/other.root" --area SM0901 -o "$W/word.x"
expect 65 "root and recovery keys" "$B" vouch "$W/north.successor" --root "$W/safe/north.recovery" --area SM0901 -o "$W/word.x"
sed 's/^id 00/id 11/; t; s/^id ../id 00/' "$W/north.successor" >"$W/anothers"
expect 0 "" "$B" vouch "$W/anothers" --root "$W/safe/nation.root" --area SM0901 -o "$W/word.another"
expect 76 "" b replace "$W/north" "$(node_of)" --word "$W/word.another"
up north
expect 76 "another key|not the one" b sync "$W/one"
down north
two_words first
expect 76 "" b replace "$W/north" "$(node_of)" --word "$W/word.first"
expect 0 "below the office for SM09 now" b join "$W/north" "$(line north2 SM0901)"
expect 0 "" b revoke "$W/nation" north --reason "stolen"
expect 0 "let in" b devices "$W/nation" --approve north2
submit one 1 >/dev/null
up north
all_agree
expect 0 "agree" b sync "$W/north"
expect 0 "agree" b sync "$W/north"
same "north's records" "$(count north F9_session)" 7
same "the nation's" "$(count nation F9_session)" 7
below three north member SM09010101
submit three 1 >/dev/null
submit one 1 >/dev/null
expect 0 "agree" b sync "$W/three"
all_agree
expect 0 "agree" b sync "$W/north"
same "the nation's" "$(count nation F9_session)" 9
expect 0 "all is as it should be" b check "$W/north"
# the thief serves it at the same address, and speaks to the office above: who met the successor does not go back
down north
mv "$W/north" "$W/second"
mv "$W/gone.stolen" "$W/north"
up north
expect 76 "another key|not the one" b sync "$W/one"
expect 77 "" b sync "$W/north"
ok "stolen: devices follow the successor by the root's word, the office above took it, and the thief's gets nothing"

# 3. All is gone but the recovery file: it joins anew, with the office's keys. What devices hold, sealed to an older one, opens.
submit two 2 >/dev/null
dead all
expect 64 "invitation for SM0902" b join "$W/north" "$(line nobody SM0902)" --recovery "$W/safe/north.recovery"
expect 0 "whoever keeps" b join "$W/north" "$(line north3 SM0901)" --recovery "$W/safe/north.recovery"
expect 0 "let in" b devices "$W/nation" --approve north3
expect 0 "" b revoke "$W/nation" north2 --reason "gone"
two_words second
cp "$W/word.second" "$W/safe/"
expect 0 "agree" b sync "$W/north"
expect 0 "F9_session" b form list "$W/north"
up north
for d in one two three; do
	expect 75 "approve" b sync "$W/$d"
	expect 0 "" b devices "$W/north" --approve "$d"
	expect 0 "agree" b sync "$W/$d"
done
[ "$(count north F9_session)" -ge 2 ] || fail "what was sealed to the key before does not open"
submit two 1 >/dev/null
expect 0 "agree" b sync "$W/two"
expect 0 "" b sync "$W/north"
expect 0 "all is as it should be" b check "$W/nation"
pass "an office below lives on: $(count north F9_session) records were still on devices"
