# twin_above.sh BANYAN SOURCE: an office with two nodes, and a province above. The first one syncs with the province. When it is away, the
# second goes there itself: what reached only it goes up, once; a review of the province comes down. When the first is back, whoever
# meets whom first, all three agree, nothing is there twice, and no parcel goes twice. A device that joined meanwhile counts too.
. "$2/tests/e2e/lib.sh"

province "Above" "$SOURCE/schemas/forms/F9_session.md" "$SOURCE/schemas/forms/F4_referral.md"
office first province SM0901
below one first member SM09010101
below two first member SM09010102
below four first member SM09010103
submit one 3 >"$W/ids"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/first"

# The second node: the province hears of it when it is approved, not before.
below second first node SM0901
up second
expect 0 "let in" b devices "$W/first" --approve second --address "$(cat "$W/second.address")"
expect 0 "agree" b sync "$W/second"
b devices "$W/province" | grep -q second && fail "the province knows it before its office said so"
down first
expect 77 "does not know this second node yet" b sync "$W/second"
up first
expect 0 "agree" b sync "$W/first"
expect 0 "second" b devices "$W/province"
for name in one two four; do
	expect 0 "agree" b sync "$W/$name"
done
expect 0 "agree" b sync "$W/second"
expect 0 '"parcels_received":0' b sync "$W/first" --json
ok "the office above hears of the second node from the first"

# The first goes. What reached it and not the second yet stays with it; what reaches the second goes up from there.
submit four 1 >>"$W/ids"
expect 0 "agree" b sync "$W/four"
head -1 "$SOURCE/schemas/forms/samples/F4_referral.jsonl" >"$W/referral"
expect 0 "" b submit "$W/four" F4_referral --answers "$W/referral"
expect 0 "agree" b sync "$W/four"
expect 0 "agree" b sync "$W/first"
down first
submit one 2 >>"$W/ids"
submit two 2 >>"$W/ids"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
expect 0 "" b join "$W/three" "$(b invite "$W/second" --role member --area SM0901 --name three --address "$(cat "$W/second.address")")"
submit three 2 >>"$W/ids"
expect 0 "" b submit "$W/three" F4_referral --answers "$SOURCE/schemas/forms/samples/F4_referral.jsonl"
expect 0 "agree" b sync "$W/three"
expect 0 '"parcels_carried":4,"parcels_taken":1,.*"parcels_withheld":1,"went_above":true,"verified":true' b sync "$W/second" --json
same "at the province" "$(count province F9_session)" 10
n=$(count province F4_referral)
same "referrals at the second node" "$(count second F4_referral)" $((n - 1))
same "at the second node" "$(count second F9_session)" 10
expect 0 "went to the office above itself" b sync "$W/second"
expect 0 "agree on all else" b sync "$W/second"
expect 0 '"parcels_received":0,.*"went_above":true' b sync "$W/second" --json
grep -q carried "$W/out" && fail "said again: $(cat "$W/out")"
ok "the second node goes above itself: 4 parcels, once; one is left to the first node"

# The province speaks to it: a review, and a form, which goes on to its devices.
id=$(b list "$W/second" F4_referral --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "has_issues" b review "$W/province" "$id" --state has_issues --note "telephone the school"
expect 0 "" b form add "$W/province" "$SOURCE/schemas/forms/F3_departures.md"
expect 0 "agree" b sync "$W/second"
expect 0 '"review":"has_issues"' b show "$W/second" "$id" --json
expect 0 "agree" b sync "$W/three"
expect 0 "telephone the school" b show "$W/three" "$id"
expect 0 "F3_departures" b form list "$W/three"
expect 0 "" b revoke "$W/second" two --reason lost
expect 0 "agree" b sync "$W/second"
ok "a review and a form come down to the second node and its devices"

# settled NAME...: each holds each record once, reads it whole, and says nothing more.
settled() {
	sort "$W/ids" >"$W/all"
	for name in "$@"; do
		ids "$W/$name" >"$W/at"
		cmp -s "$W/all" "$W/at" || fail "$name does not hold each record once: $(wc -l <"$W/at") of $(wc -l <"$W/all")"
		same "referrals at $name" "$(count "$name" F4_referral)" "$n"
		expect 0 "all is as it should be" b check "$W/$name"
	done
	for name in first second; do
		b list "$W/$name" F4_referral --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' >"$W/at"
		while read -r referral; do
			b show "$W/$name" "$referral" --json </dev/null >"$W/shown"
			grep -q '"elsewhere":true' "$W/shown" && fail "$name does not read all of $referral"
		done <"$W/at"
		expect 0 "Fictitious" b show "$W/$name" "$id"
	done
	for name in first second; do
		expect 0 '"parcels_sent":0,"parcels_received":0,.*"verified":true' b sync "$W/$name" --json
		grep -qE "carried|withheld" "$W/out" && fail "$name goes on saying: $(cat "$W/out")"
	done
	expect 77 "shut out" b sync "$W/two"
}

# Both orders, from the same beginning.
for name in second province; do
	down "$name"
done
mkdir "$W/kept"
cp -r "$W/first" "$W/second" "$W/province" "$W/kept"
for name in province second first; do
	up "$name"
done
expect 0 '"parcels_withheld":' b sync "$W/first" --json # what the second brought above, it must still bring to the first
expect 0 '"parcels_withheld":0|"verified":true' b sync "$W/second" --json
expect 0 '"verified":true' b sync "$W/first" --json
expect 0 '"verified":true' b sync "$W/second" --json
settled first second province
ok "the first one meets the province first"

for name in first second province; do
	down "$name"
	rm -r "${W:?}/$name"
	cp -r "$W/kept/$name" "$W/$name"
done
for name in province second first; do
	up "$name"
done
expect 0 '"verified":true' b sync "$W/second" --json
expect 0 '"verified":true' b sync "$W/first" --json
grep -qE "carried|withheld" "$W/out" && fail "said again: $(cat "$W/out")"
expect 0 '"verified":true' b sync "$W/second" --json
settled first second province
ok "the second one meets the first one first"

# The first node gives the office another key: a device of the second seals to it, and both read.
expect 0 '"key":2' b rotate "$W/first" --json
expect 0 '"verified":true' b sync "$W/second" --json
expect 0 "agree" b sync "$W/three"
submit three 1 >>"$W/ids"
expect 0 "agree" b sync "$W/three"
for name in second first; do
	expect 0 '"verified":true' b sync "$W/$name" --json
done
settled first second province
pass "an office with two nodes, and the one above"
