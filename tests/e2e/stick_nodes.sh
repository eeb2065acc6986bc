# stick_nodes.sh BANYAN SOURCE: a district and its province, and two nodes of one office, in step by sticks alone: records, keys and orders go
# up, reviews and forms come down; twice, cut, bent, to the wrong one, from one that was shut out; then a link finds nothing to do.
. "$2/tests/e2e/lib.sh"

take() { expect "$1" "" b unpack "$W/$2" "$W/$3" --json; }
pack() { store=$1 file=$2; shift 2; expect 0 "" b pack "$W/$store" -o "$W/$file" --json "$@"; }
# to_office N: N more records of the device are at the district, which serves for that long.
to_office() {
	up district
	submit device "$1" >>"$W/sent"
	expect 0 "agree" b sync "$W/device"
	down district
}

province "Sticks" "$SOURCE/schemas/forms/F9_session.md"
below district province node SM0901
expect 0 "let in" b devices "$W/province" --approve district
expect 0 "agree" b sync "$W/district"
down province
up district
below device district member SM09010101
down district

# nodes_up
to_office 5
pack district u1 --up
[ "$(field parcels)" -ge 1 ] || fail "nodes_up: nothing packed: $(cat "$W/out")"
take 0 province u1
same "records at the province" "$(count province F9_session)" 5
id=$(head -1 "$W/sent")
expect 0 '"hours":' b show "$W/province" "$id" --json
take 0 province u1
same "nodes_twice: parcels taken again" "$(field parcels)" 0
[ "$(field duplicates)" -ge 1 ] || fail "nodes_twice: $(cat "$W/out")"
same "records at the province after the same stick" "$(count province F9_session)" 5
ok "nodes_up nodes_twice"

# nodes_down: a review and a form; the province's word makes the next stick say nothing again.
expect 0 "has_issues" b review "$W/province" "$id" --state has_issues --note "which date?"
expect 0 "" b form add "$W/province" "$SOURCE/schemas/forms/F4_referral.md"
pack province d1 --for district
take 0 district d1
expect 0 "which date|has_issues" b show "$W/district" "$id"
expect 0 "F4_referral" b form list "$W/district"
up district
expect 0 "agree" b sync "$W/device"
expect 0 "which date" b show "$W/device" "$id"
expect 0 "F4_referral" b form list "$W/device"
down district
pack district u2 --up
same "nodes_down: packed again what the province has" "$(field parcels)" 0
take 0 province u2
pack province d2
same "nodes_down: packed again what the district has" "$(field parcels)" 0
take 0 district d1
ok "nodes_down"

# nodes_truncated: what is whole counts, the rest comes with the next one.
for i in 1 2 3; do to_office 1800; done
pack district u3 --up
[ "$(field envelopes)" -ge 2 ] || fail "nodes_truncated: one envelope says nothing: $(cat "$W/out")"
size=$(wc -c <"$W/u3")
for n in 20 500 $((size * 7 / 10)); do
	head -c "$n" "$W/u3" >"$W/cut"
	expect 65 "" b unpack "$W/province" "$W/cut" --json
done
some=$(count province F9_session)
[ "$some" -gt 5 ] && [ "$some" -lt 5405 ] || fail "nodes_truncated: $some records of a bundle that was cut"
for n in 60 $((size / 2)) $((size - 30)); do
	cp "$W/u3" "$W/bent"
	bend "$W/bent" "$n"
	expect 65 "" b unpack "$W/province" "$W/bent"
done
take 0 province u3
same "records at the province" "$(count province F9_session)" 5405
ok "nodes_truncated"

# nodes_erase: an order goes up by stick.
gone=$(sed -n 3p "$W/sent")
expect 0 "" b erase "$W/district" "$gone" --reason "asked for"
pack district u4 --up
take 0 province u4
same "records at the province after an order" "$(count province F9_session)" 5404
ok "nodes_erase"

# nodes_twins: the two nodes of the district's office.
up district
below second district node SM0901
expect 0 "let in" b devices "$W/district" --approve second --address 127.0.0.1:1
expect 0 "agree" b sync "$W/second"
down district
to_office 4
pack district t1 --for second
take 0 second t1
same "records at the second node" "$(count second F9_session)" "$(count district F9_session)"
id=$(tail -1 "$W/sent")
expect 0 "approved" b review "$W/second" "$id" --state approved
pack second t2 --up
take 0 district t2
expect 0 '"review":"approved"' b show "$W/district" "$id" --json
ok "nodes_twins"

# nodes_wrong: for somebody else, and from a node that was shut out.
expect 65 "another office" b unpack "$W/province" "$W/t1"
expect 65 "another office" b unpack "$W/district" "$W/u4"
expect 64 "up is for a node" b pack "$W/device" -o "$W/none" --up
expect 69 "node above" b pack "$W/province" -o "$W/none" --up
pack district u5 --up
for f in u1 d1 t1; do
	for word in Sticks SM0901 F9_session "which date"; do
		grep -qaF "$word" "$W/$f" && fail "$f shows \"$word\""
	done
done
ok "nodes_wrong"

# nodes_link: over a link nothing is left but what the last stick has.
up province
expect 0 "\"parcels_carried\":2[,}].*verified.:true" b sync "$W/district" --json
[ "$(field bytes_sent)" -lt 6000 ] || fail "nodes_link: what came by stick goes again: $(cat "$W/out")"
take 0 province u5
same "nodes_link: parcels of the last stick" "$(field parcels)" 0
expect 0 "verified.:true" b sync "$W/district" --json
grep -q carried "$W/out" && fail "nodes_link: said again: $(cat "$W/out")"
down province
expect 0 "all is as it should be" b check "$W/province"
expect 0 "all is as it should be" b check "$W/district"
expect 0 "" b revoke "$W/province" district --reason "closed"
pack district u6 --up
expect 65 "shut out|refused" b unpack "$W/province" "$W/u6"
pass "sticks between nodes, $(wc -l <"$W/sent") records"
