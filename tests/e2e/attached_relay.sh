# attached_relay.sh BANYAN SOURCE CUTLINK: an attachment goes by a relay, behind the records: over a link that is cut, on from
# there and not from the first piece; the office's word back; nothing twice; within the relay's room; nothing of it shows there.
. "$2/tests/e2e/lib.sh"
cutlink=$1

# to_office: the relay brings what it has.
to_office() {
	start_node
	expect 0 "" b sync "$W/relay"
	stop_node
}
# met NAME: NAME meets the relay; what came of it is in $W/out.
met() {
	start_relay relay --every 0 ${SPACE:+--space $SPACE}
	expect 0 "" b sync "$W/$1" --via "$RELAY" --json
	stop_relay
}

consent_form
make_node
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
for d in one relay; do
	device $d SM0901010$((${n:=0} + 1))
	n=$((n + 1))
	expect 0 "agree" b sync "$W/$d"
done
stop_node

# attached_relay_cut: 600,000 bytes, cut in the middle; the second meeting brings the rest and no more.
marker=$(mark)
{ head -c 300000 /dev/urandom && echo "$marker" && head -c 300000 /dev/urandom; } >"$W/first.jpg"
submit_page one first >"$W/id1"
start_relay relay --every 0
mkdir "$W/link"
echo "1 420000" >"$W/link/ask"
"$cutlink" "$RELAY" "$W/link" &
PIDS="$PIDS $!"
until_true 60 test -s "$W/link/told" || fail "no link"
b sync "$W/one" --via "$(cat "$W/link/address")" >"$W/out" 2>"$W/err" && fail "attached_relay_cut: it was not cut"
expect 0 "" b sync "$W/one" --via "$RELAY" --json
rest=$(field bytes_sent)
[ "$(field pieces_handed)" -ge 3 ] && [ "$rest" -lt 450000 ] || fail "attached_relay_cut: $(cat "$W/out")"
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field pieces_handed)" = 0 ] && [ "$(field parcels_handed)" = 0 ] || fail "attached_relay_cut: again: $(cat "$W/out")"
stop_relay
grep -rqF "$marker" "$W/relay" "$W/one" && fail "attached_relay_cut: in clear"
expect 0 "" b check "$W/relay"
to_office
same_page node first
ok "attached_relay_cut: $rest bytes for the rest"

# attached_relay_word: the office's word comes back; nothing goes again, by a relay or by a link; the relay has let go of them.
met one
[ "$(field attachments)" = 1 ] && [ "$(field pieces_handed)" = 0 ] || fail "attached_relay_word: $(cat "$W/out")"
start_node
expect 0 '"verified":true' b sync "$W/one" --json
grep -q attachments "$W/out" && fail "attached_relay_word: the link knows nothing of it"
[ "$(field bytes_sent)" -lt 4000 ] || fail "attached_relay_word: $(field bytes_sent) bytes"
stop_node
ok "attached_relay_word"

# attached_relay_room: with a mebibyte for all, a file of 500,000 bytes goes a part a meeting, and records find room all the time.
submit_random one second 500000 >"$W/id2"
SPACE=1
for i in 1 2 3 4 5 6; do
	submit_random one "small$i" 10 >"$W/id3"
	met one
	[ "$(field parcels_handed)" -ge 1 ] && [ "$(field parcels_waiting)" = 0 ] || fail "attached_relay_room: $(cat "$W/out")"
	[ "$(field bytes_sent)" -lt 420000 ] || fail "attached_relay_room: $(field bytes_sent) bytes in one meeting"
	to_office
done
same_page node second
expect 0 "all is as it should be" b check "$W/node"
pass "attachments by a relay: cut, resumed, told, within its room"
