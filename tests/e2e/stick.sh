# stick.sh BANYAN SOURCE: up and down by stick; cut, damaged, twice, of others, of a revoked device, by a carrier who lies.
. "$2/tests/e2e/lib.sh"

# take STATUS STORE FILE: unpack for a program.
take() { expect "$1" "" b unpack "$W/$2" "$W/$3" --json; }

make_node F9_session
start_node
device one SM09010101
device two SM09010102
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
stop_node

# stick_up: no link from here on.
submit one 3 >"$W/first"
expect 0 "parcel" b pack "$W/one" -o "$W/up1"
[ -z "$(ids "$W/one" held)" ] || fail "the device believes what nobody said"
take 0 node up1
[ "$(field parcels)" -ge 1 ] || fail "nothing was taken: $(cat "$W/out")"
sort "$W/first" >"$W/want"
ids "$W/node" >"$W/got"
cmp -s "$W/want" "$W/got" || fail "stick_up: the office has other records"
ok "stick_up"

# stick_down: the receipt comes back; then nothing is packed again.
expect 0 "" b pack "$W/node" -o "$W/down1"
take 0 one down1
[ "$(field receipts)" = 1 ] || fail "stick_down: no receipt: $(cat "$W/out")"
[ "$(ids "$W/one" held | wc -l)" -eq 3 ] || fail "stick_down: the device does not know: $(b list "$W/one" F9_session)"
expect 0 "" b pack "$W/one" -o "$W/up2" --json
[ "$(field parcels)" = 0 ] || fail "stick_down: packed again what is held"
take 0 node up2
# the office reviews; the note goes down by stick
record=$(head -1 "$W/first")
expect 0 "" b review "$W/node" "$record" --state has_issues --note "which date?"
expect 0 "" b pack "$W/node" -o "$W/down2" --for one --json
take 0 one down2
[ "$(field received)" -ge 1 ] || fail "stick_down: the review did not come: $(cat "$W/out")"
expect 0 "which date" b show "$W/one" "$record"
[ "$(wc -c <"$W/down2")" -lt 4096 ] || fail "stick_down: says again what the device has: $(wc -c <"$W/down2") bytes"
ok "stick_down"

# stick_twice: harmless at both ends.
before=$(ids "$W/node" | wc -l)
take 0 node up1
[ "$(field parcels)" = 0 ] && [ "$(field duplicates)" -ge 1 ] || fail "stick_twice: $(cat "$W/out")"
take 0 one down1
take 0 one down2
[ "$(ids "$W/node" | wc -l)" -eq "$before" ] || fail "stick_twice: records grew"
ok "stick_twice"

# stick_truncated: the good part counts, what is missing is said, and the rest comes later.
for i in 1 2 3 4 5 6; do submit two 1; expect 0 "" b pack "$W/two" -o "$W/part$i"; done >"$W/second"
cp "$W/part6" "$W/whole"
size=$(wc -c <"$W/whole")
for n in 0 7 27 28 40 500 $((size - 1)) $((size / 2)) $((size - 9)) $((size - 500)); do
	head -c "$n" "$W/whole" >"$W/cut"
	expect 65 "bundle|envelope" b unpack "$W/node" "$W/cut"
done
[ "$(ids "$W/node" | wc -l)" -le $((before + 6)) ] || fail "stick_truncated"
take 0 node whole
[ "$(ids "$W/node" | wc -l)" -eq $((before + 6)) ] || fail "stick_truncated: not all arrived"
ok "stick_truncated"

# stick_wrong_office, stick_wrong_device: nothing for this store, nothing kept.
expect 65 "another office" b unpack "$W/one" "$W/up1"
expect 65 "another office" b unpack "$W/two" "$W/down2"
head -c 32 /dev/urandom >"$W/key2"
expect 0 "" "$B" init "$W/other" --programme "Another" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09 --key-file "$W/key2"
expect 65 "another programme" "$B" unpack "$W/other" "$W/up1" --key-file "$W/key2"
expect 65 "not a whole bundle" b unpack "$W/node" "$SOURCE/README.md"
ok "stick_wrong_office stick_wrong_programme"

# stick_liar: a carrier flips bytes, drops and reorders: nothing wrong is ever taken, nothing is lost.
submit one 2 >"$W/third"
expect 0 "" b pack "$W/one" -o "$W/liar"
size=$(wc -c <"$W/liar")
before=$(ids "$W/node" | wc -l)
for n in 3 15 30 60 200 $((size / 2)) $((size - 4)); do
	cp "$W/liar" "$W/bent"
	bend "$W/bent" "$n"
	expect 65 "" b unpack "$W/node" "$W/bent"
done
[ "$(ids "$W/node" | wc -l)" -eq "$before" ] || fail "stick_liar: something bent was taken"
[ "$(ids "$W/one" sent | wc -l)" -eq 2 ] || fail "stick_liar: freed without a receipt"
take 0 node liar
[ "$(ids "$W/node" | wc -l)" -eq $((before + 2)) ] || fail "stick_liar: the good one was not taken"
ok "stick_liar"

# stick_then_link: what came by stick is acknowledged over TLS; no copy is sent again.
start_node
expect 0 "verified.:true" b sync "$W/one" --json
[ "$(field parcels_sent)" = 0 ] || fail "stick_then_link: a second copy went: $(cat "$W/out")"
stop_node
ok "stick_then_link"

# stick_revoked: kept aside for an officer.
submit two 2 >"$W/fourth"
expect 0 "" b pack "$W/two" -o "$W/late"
expect 0 "" b revoke "$W/node" two --reason "lost"
before=$(ids "$W/node" | wc -l)
take 0 node late
[ "$(field set_aside)" -ge 1 ] || fail "stick_revoked: not set aside: $(cat "$W/out")"
[ "$(ids "$W/node" | wc -l)" -eq "$before" ] || fail "stick_revoked: it counted"
expect 77 "shut out" b pack "$W/node" -o "$W/none" --for two
ok "stick_revoked"

# stick_restored: a node in a new life; an old receipt gains nothing, a new one makes the device give again what is lost.
expect 0 "" b backup "$W/node" -o "$W/backup"
submit one 2 >"$W/fifth"
expect 0 "" b pack "$W/one" -o "$W/up5"
take 0 node up5
expect 0 "" b pack "$W/node" -o "$W/old_receipt" --for one
expect 0 "" b pack "$W/node" -o "$W/old_receipt2" --for one
take 0 one old_receipt
[ "$(ids "$W/one" sent | wc -l)" -eq 0 ] || fail "stick_restored: the receipt does not count"
[ "$(ids "$W/one" safe | wc -l)" -ge 4 ] || fail "stick_restored: the office's backup is not told: $(b list "$W/one" F9_session)"
expect 0 "" b pack "$W/one" -o "$W/all" --all
rm -r "$W/node"
expect 0 "" b restore "$W/backup" "$W/node"
expect 0 "" b pack "$W/node" -o "$W/new_receipt" --for one
take 0 one new_receipt
expect 65 "earlier life" b unpack "$W/one" "$W/old_receipt2"
expect 0 "" b pack "$W/one" -o "$W/up6"
take 0 node up6
sort "$W/fifth" >"$W/want"
ids "$W/node" | comm -13 - "$W/want" >"$W/lost"
[ ! -s "$W/lost" ] || fail "stick_restored: lost $(cat "$W/lost")"
ok "stick_restored"

# A carrier finds no word of the programme, the people or the places in what it carries.
for f in up1 down2 whole; do
	for word in "End to end" SM0901 one two "which date" F9_session; do
		grep -qaF "$word" "$W/$f" && [ "${#word}" -gt 3 ] && fail "$f shows \"$word\""
	done
done
pass "sticks up and down"
