# tiers.sh PLAIN SOURCE SEARCH HAND: a nation, a province, two districts, their devices, with real processes. Records go up, counts are
# equal at each tier, what identifies a child stays at its district (PLAIN does not seal, so that the search of raw files can
# find), a review from the province reaches the device, forms that the nation adds later reach it too; a parcel that came to the
# province by another road waits there until its district has said how to open it.
. "$2/tests/e2e/lib.sh"
search=$1
hand=$2
head -c 32 /dev/urandom >"$W/key"
awk -F, -v OFS=, 'NR == 1 { print; print "SM,,nation,Serei,"; next } $1 == "SM09" { $2 = "SM" } { print }' \
	"$SOURCE/schemas/areas/demo_province.csv" >"$W/areas.csv"

all_up() {
	for name in north south province; do
		expect 0 "agree" b sync "$W/$name"
	done
}

expect 0 "" b init "$W/nation" --programme "Tiers" --areas "$W/areas.csv" --area SM
expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F9_session.md" "$SOURCE/schemas/forms/F4_referral.md"
up nation
office province nation SM09
office north province SM0901
office south province SM0902
below one north member SM09010101
below two south member SM0902
expect 77 "beyond the area" b invite "$W/north" --role member --area SM0902 --name no --address x:1
ok "a chain from the root over three offices to a device"

marked_referrals
expect 0 "" b submit "$W/one" F4_referral --answers "$W/referrals"
submit one 5 >"$W/ids"
submit two 7 >>"$W/ids"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
all_up
n=$(grep -c . "$W/referrals")
for name in north province nation; do
	same "referrals at $name" "$(count $name F4_referral)" "$n"
done
same "north's sessions" "$(count north F9_session)" 5
same "south's sessions" "$(count south F9_session)" 7
same "the province's" "$(count province F9_session)" 12
same "the nation's" "$(count nation F9_session)" 12
id=$(b list "$W/north" F4_referral --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "kept at the home office" b show "$W/province" "$id"
expect 0 '"elsewhere":true' b show "$W/nation" "$id" --json
b list "$W/province" F9_session --json | sed 's/.*"answers"//' | sort >"$W/at_province"
b list "$W/nation" F9_session --json | sed 's/.*"answers"//' | sort >"$W/at_nation"
cmp -s "$W/at_province" "$W/at_nation" || fail "the answers differ between province and nation"
ok "12 sessions and $n referrals counted the same at each tier"

# A review from the province goes down to the district, and on to the device.
expect 0 "has_issues" b review "$W/province" "$id" --state has_issues --note "telephone the school"
expect 0 "agree" b sync "$W/north"
expect 0 '"review":"has_issues"' b show "$W/north" "$id" --json
expect 0 "agree" b sync "$W/one"
expect 0 "telephone the school" b show "$W/one" "$id"
expect 0 "agree" b sync "$W/province"
expect 0 '"review":"has_issues"' b show "$W/nation" "$id" --json
ok "a review from the province is on the device"

# What the nation adds later reaches the village.
expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F3_departures.md"
expect 0 "agree" b sync "$W/province"
expect 0 "agree" b sync "$W/north"
expect 0 "agree" b sync "$W/one"
expect 0 "F3_departures" b form list "$W/one"
ok "a form comes down through three offices"

# By another road: it waits, and then it does not.
down province
submit two 4 >/dev/null
cp -r "$W/two" "$W/copy"
expect 0 "" b sync "$W/two"
same "handed over" "$("$hand" "$W/two" "$W/province" "$W/key")" 1
same "before its district's word" "$(count province F9_session)" 12
expect 0 "waits? for the word of (its|their) home office" b status "$W/province"
up province
expect 0 "agree" b sync "$W/province"
same "at the nation before its district's word" "$(count nation F9_session)" 12
expect 0 "agree" b sync "$W/south"
same "after it" "$(count province F9_session)" 16
expect 0 "agree" b sync "$W/province"
same "at the nation" "$(count nation F9_session)" 16
# A parcel that its district never had from its device is handed down whole.
down province
submit two 2 >/dev/null
down south
expect 75 "" b sync "$W/two"
same "handed over" "$("$hand" "$W/two" "$W/province" "$W/key")" 1
up province
up south
expect 0 "agree" b sync "$W/south"
same "at its district" "$(count south F9_session)" 13
same "at the province" "$(count province F9_session)" 18
expect 0 "agree" b sync "$W/two"
same "none twice" "$(count south F9_session)" 13
ok "a parcel that came by another road waits for its home office"

for name in nation province north south; do
	expect 0 "all is as it should be" b check "$W/$name"
	down "$name"
done
"$search" "$W/markers" "$W/nation" "$W/province" >"$W/out"
[ $? -eq 2 ] || fail "what identifies a child went up"
"$search" "$W/markers" "$W/north" >"$W/out"
[ $? -eq 0 ] || fail "the search does not find what is there"
pass "three tiers"
