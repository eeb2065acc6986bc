# above.sh PLAIN SOURCE SEARCH: a programme began with one district; later it gets a province above. The root's holder makes the new office, the
# district's officer joins it with the store that is there. Devices notice nothing; what was recorded before is counted above, and what
# identifies a child stays where it was (PLAIN does not seal, so that the search of raw files can find).
. "$2/tests/e2e/lib.sh"
search=$1
head -c 32 /dev/urandom >"$W/key"
received() { sed -n 's/.*"bytes_received":\([0-9]*\).*/\1/p' "$W/out"; }
form() { echo "$SOURCE/schemas/forms/$1.md"; }

# A district alone, with a past: two keys, somebody who left, an officer's word.
expect 0 "" b init "$W/north" --programme "Began small" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM0901
expect 0 "" b form add "$W/north" "$(form F9_session)" "$(form F4_referral)"
up north
below one north member SM09010101
below two north member SM09010102
below left north member SM09010102
marked_referrals
n=$(grep -c . "$W/referrals")
expect 0 "" b submit "$W/one" F4_referral --answers "$W/referrals"
submit two 5 >/dev/null
submit left 3 >/dev/null
for d in one two left; do expect 0 "agree" b sync "$W/$d"; done
expect 0 "" b revoke "$W/north" left --reason "moved away"
expect 0 "key 2" b rotate "$W/north"
id=$(b list "$W/north" F4_referral --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "has_issues" b review "$W/north" "$id" --state has_issues --note "of before"
submit two 2 >/dev/null
for d in one two; do expect 0 "agree" b sync "$W/$d"; done
for d in one two; do expect 0 '"verified":true' b sync "$W/$d" --json; done
idle=$(received)
expect 0 "" b backup "$W/north" -o "$W/before"

# The province: of the same programme, by its root. It counts its forms from 1 too, and in another order.
expect 64 "programme" b init "$W/province" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
expect 0 "above those of the programme \"Began small\"" b init "$W/province" --root "$W/north.root" \
	--areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09 --officer chief
expect 0 "" b form add "$W/province" "$(form F4_referral)" "$(form F9_session)"
up province
line() { b invite "$W/$1" --role node --area "$2" --name "$3" --address "$(cat "$W/$1.address")"; }
# Who is not the programme's root gets nothing under him, and nothing stands above itself.
expect 0 "" b init "$W/other" --programme "Began small" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
up other
others=$(line other SM0901 north)
south=$(line province SM0902 south)
ours=$(line province SM0901 north)
expect 75 "" b join "$W/north" "$ours"
down north
expect 64 "another programme" b join "$W/north" "$others"
expect 77 "SM0902" b join "$W/north" "$south"
expect 0 "below the office for SM09 now" b join "$W/north" "$ours"
expect 75 "not approved" b sync "$W/north"
expect 0 "let in" b devices "$W/province" --approve north
expect 0 "agree" b sync "$W/north"
up north
ok "the district is below the province"

same "referrals above" "$(count province F4_referral)" "$n"
same "sessions above" "$(count province F9_session)" "$(count north F9_session)"
same "sessions of before" "$(count province F9_session)" 10
expect 0 "kept at the home office" b show "$W/province" "$id"
expect 0 '"review":"has_issues"' b show "$W/province" "$id" --json
b list "$W/province" F9_session --json | sed 's/.*"answers"//' | sort >"$W/at_province"
b list "$W/north" F9_session --json | sed 's/.*"answers"//' | sort >"$W/at_north"
cmp -s "$W/at_province" "$W/at_north" || fail "the answers differ between the offices"
ok "what was recorded before is counted above"

# Devices notice nothing: not a form, not an area table comes down again; and what goes on goes on.
for d in one two; do
	expect 0 '"verified":true' b sync "$W/$d" --json
	came=$(received)
	[ "$came" -le $((idle + 1200)) ] || fail "$came bytes came down to $d because of the province"
done
expect 0 '"verified":true' b sync "$W/one" --json
same "bytes of an idle session" "$(received)" "$idle"
submit two 4 >/dev/null
expect 0 "agree" b sync "$W/two"
expect 0 "agree" b sync "$W/north"
same "new ones above" "$(count province F9_session)" 14
expect 0 "approved" b review "$W/province" "$id" --state approved
sed 's/| F9 Session log | [0-9]* |/| F9 Session log | 2099010101 |/' "$(form F9_session)" >"$W/F9_new.md"
cmp -s "$W/F9_new.md" "$(form F9_session)" && fail "the form has no version to change"
expect 0 "" b form add "$W/province" "$W/F9_new.md"
expect 0 "agree" b sync "$W/north"
for d in one two; do expect 0 "agree" b sync "$W/$d"; done
expect 0 '"review":"approved"' b show "$W/one" "$id" --json
expect 0 "2099010101" b form list "$W/two"
submit two 1 >/dev/null
expect 0 "agree" b sync "$W/two"
expect 0 "2099010101" b list "$W/north" F9_session --json
ok "devices noticed nothing, and hear of the province's words and forms"

# The district is no longer the one that says how long what is kept; a district of before the province joins it again.
expect 69 "the office that began" b retention "$W/north" --class record --years 3
expect 0 "" b retention "$W/province" --class record --years 3
down north
rm -r "$W/north"
expect 0 "" b restore "$W/before" "$W/north"
expect 0 "below the office for SM09 now" b join "$W/north" "$(line province SM0901 "north again")"
expect 0 "agree" b sync "$W/north"
up north
for d in one two; do expect 0 "agree" b sync "$W/$d"; done
expect 0 "agree" b sync "$W/north"
same "all of it" "$(count north F9_session)" "$(count province F9_session)"
ok "put back from before the province, it joins once more"

# One that knew of nothing but itself learns the table from above, and its devices do.
awk -F, -v OFS=, 'NR == 1 || $1 ~ /^SM0902/ { if ($1 == "SM0902") $2 = ""; print }' \
	"$SOURCE/schemas/areas/demo_province.csv" >"$W/small.csv"
expect 0 "" b init "$W/tiny" --programme "Alone" --areas "$W/small.csv" --area SM0902
expect 0 "" b form add "$W/tiny" "$(form F9_session)"
up tiny
below three tiny member SM0902
submit three 3 >/dev/null
expect 0 "agree" b sync "$W/three"
down tiny
expect 0 "" b init "$W/big" --root "$W/tiny.root" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
up big
expect 0 "below the office for SM09 now" b join "$W/tiny" "$(line big SM0902 tiny)"
expect 0 "let in" b devices "$W/big" --approve tiny
expect 0 "agree" b sync "$W/tiny"
expect 0 "agree" b sync "$W/tiny"
expect 0 "" b form add "$W/big" "$(form F9_session)"
same "records of one that knew no other area" "$(count big F9_session)" 3
up tiny
expect 0 "agree" b sync "$W/three"
for name in tiny big; do
	expect 0 "all is as it should be" b check "$W/$name"
	down "$name"
done
ok "the area table of the province comes down with it"

for name in province north; do
	expect 0 "all is as it should be" b check "$W/$name"
	down "$name"
done
down other
"$search" "$W/markers" "$W/province" >"$W/out"
[ $? -eq 2 ] || fail "what identifies a child went up"
"$search" "$W/markers" "$W/north" >"$W/out"
[ $? -eq 0 ] || fail "the search does not find what is there"
pass "a province above a district that was there first"
