# versions.sh BANYAN SOURCE LATER: what a later version would say goes through programs that do not know it, unopened and unchanged: a
# change of a record of an unknown kind, by a link, a relay and a stick, up to the province; letters, control items and notices of unknown
# kinds. The records that are known are read as always. A store of a later format is refused in a sentence.
. "$2/tests/e2e/lib.sh"
later=$1
l() { "$later" "$1" "$W/$2" "$W/key" ${3:+"$3"}; }
# items NAME: of records, what is in the store. has_all NAME: all that the device wrote is there as it wrote it.
items() { l digests "$1" | grep "^${2:-record}" | sort -u; }
has_all() {
	items "$1" >"$W/there"
	[ -z "$(comm -23 "$W/written" "$W/there")" ] || fail "$1 does not have all as it was written"
}

province "Versions" "$SOURCE/schemas/forms/F9_session.md"
down province
items province control >"$W/before"
l says province || fail "later says"
items province control | comm -13 "$W/before" - | awk '{ print $3 }' | sort >"$W/said"
[ "$(wc -l <"$W/said")" -eq 2 ] || fail "not two items of unknown kinds"
up province
office home province SM0901
for d in one two carrier; do
	below $d home member SM09010101
	expect 0 "agree" b sync "$W/$d"
done
down home
l notifies home || fail "later notifies"
l digests home | grep -q "^notice" || fail "nobody was told anything"
up home
for d in one two carrier; do
	expect 0 "agree" b sync "$W/$d"
	expect 0 "agree" b sync "$W/$d"
done
# What is to be said on came from the province to the device: the same bytes in another log. The province's own affair did not.
on=$(items one control | awk '{ print $3 }' | sort | comm -12 "$W/said" - | wc -l)
same "items of the province at the device" "$on" 1
ok "control items and notices of unknown kinds are kept, and those from 64 on said on"

submit one 2 >"$W/of_one"
submit two 1 >"$W/of_two"
for id in $(cat "$W/of_one"); do l revises one "$id" || fail "later revises"; done
l revises two "$(cat "$W/of_two")" || fail "later revises"

# By a relay, and then by the link.
by_relay carrier one
expect 0 "envelope" b sync "$W/carrier"
# By a stick, between letters of unknown kinds.
expect 0 "" b pack "$W/two" -o "$W/unused" # parcels are made
l letters two >"$W/stick" || fail "later letters"
expect 0 "1 parcel taken|parcels taken" b unpack "$W/home" "$W/stick"
{ items one; items two; } | sort -u >"$W/written"
[ "$(wc -l <"$W/written")" -ge 4 ] || fail "the devices wrote less than they should"
expect 0 "agree" b sync "$W/home"
down home
down province
has_all home
has_all province
for store in home province; do
	sort "$W/of_one" "$W/of_two" >"$W/x"
	ids "$W/$store" | cmp -s "$W/x" - || fail "$store has other records"
	for id in $(cat "$W/x"); do
		expect 0 '"hours":' b show "$W/$store" "$id" --json
		grep -q '"kind":"other"' "$W/out" || fail "$store does not say that there is a change of another kind"
	done
	expect 0 "all is as it should be" b check "$W/$store"
done
up province
up home
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
ok "a record's change of an unknown kind reaches the province by relay and stick as it was written"

# Known changes go on: an unknown one is a parent like another.
expect 0 "" b review "$W/home" "$(head -1 "$W/of_one")" --state approved
expect 0 '"review":"approved"' b show "$W/home" "$(head -1 "$W/of_one")" --json
down home
# Format 4: this program knows 1 to 3.
LC_ALL=C sed 's/\(banyan\)\x00\x00\x00\x03/\1\x00\x00\x00\x04/g' "$W/home/data.mdb" >"$W/x" # in LMDB's page the value follows the key
cmp -s "$W/x" "$W/home/data.mdb" && fail "no format in the file"
cp "$W/x" "$W/home/data.mdb"
expect 78 "written by a newer banyan; upgrade this program, nothing was changed" b list "$W/home" F9_session
cmp -s "$W/x" "$W/home/data.mdb" || fail "the file changed"
pass "a store of a later format is refused, and stays as it is"
