# relay.sh BANYAN SOURCE: two villages without a link, a relay that goes between; found by address and on the LAN.
. "$2/tests/e2e/lib.sh"


make_node F9_session
printf '%s\n' '| survey | | | |' '| | type | name | label |' '| | text | note | Note |' '| settings | | | |' \
	'| | form_id | version | form_title |' '| | N | 1 | N |' >"$W/N.md"
expect 0 "" b form add "$W/node" "$W/N.md"
start_node
for d in one two relay; do
	device $d SM0901010$((${n:=0} + 1))
	n=$((n + 1))
	expect 0 "agree" b sync "$W/$d"
done
stop_node

# relay_carries: handed over without a node; nobody believes anything yet.
submit one 3 >"$W/of_one"
submit two 2 >"$W/of_two"
start_relay relay --every 0
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field parcels_handed)" -ge 1 ] && [ "$(field answers)" = 0 ] || fail "relay_carries: $(cat "$W/out")"
expect 0 "handed" b sync "$W/two" --via "$RELAY"
[ -z "$(ids "$W/one" held)$(ids "$W/two" held)" ] || fail "relay_carries: a device believes what nobody said"

# relay_once: the same relay is not given the same again; status says who has it.
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field parcels_handed)" = 0 ] && [ "$(field parcels_there)" -ge 1 ] || fail "relay_once: $(cat "$W/out")"
expect 0 "With the relay at $RELAY since .*: [1-9]" b status "$W/one"
expect 0 "\"address\":\"$RELAY\",\"parcels\":[1-9]" b status "$W/one" --json
submit one 1 >>"$W/of_one"
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field parcels_handed)" = 1 ] || fail "relay_once: what is new does not go: $(cat "$W/out")"

# relay_again: started anew it is the same one to a device, as long as it carries something: nothing is given again.
stop_relay
PIDS=
start_relay relay --every 0
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field parcels_handed)" = 0 ] && [ "$(field parcels_there)" -ge 2 ] || fail "relay_again: $(cat "$W/out")"
ok "relay_once relay_again"

# relay_is_asked: who carries goes on working: commands are asked of the relay that runs. Two cannot own the store.
submit relay 1 >"$W/of_relay"
[ "$(ids "$W/relay" waiting)" = "$(cat "$W/of_relay")" ] || fail "relay_is_asked: $(ids "$W/relay" waiting)"
expect 0 "" b status "$W/relay"
expect 75 "cannot reach" b sync "$W/relay" # no node yet: it tried
expect 75 "another banyan" b relay "$W/relay" --listen "$HOST:0"
expect 75 "another banyan" b agent "$W/relay"
stop_relay
PIDS=
[ ! -e "$W/relay/socket" ] || fail "relay_is_asked: a socket stays"
expect 0 "" b status "$W/relay"
ok "relay_is_asked"

# The relay's own sync brings them; receipts wait at the relay and are handed to their authors only.
start_node
expect 0 "3 envelopes of others" b sync "$W/relay"
sort "$W/of_one" "$W/of_two" "$W/of_relay" >"$W/want"
ids "$W/node" | cmp -s - "$W/want" || fail "relay_carries: the office has other records"
stop_node
start_relay relay --every 0
expect 0 "" b sync "$W/one" --via "$RELAY" --json
[ "$(field receipts)" -ge 1 ] && [ "$(field parcels_handed)" = 0 ] || fail "relay_receipts: $(cat "$W/out")"
b status "$W/one" | grep -q "With the relay" && fail "relay_receipts: it is said to be with a relay still"
[ "$(ids "$W/one" held | wc -l)" -eq 4 ] || fail "relay_receipts: one does not know"
[ -z "$(ids "$W/two" held)" ] || fail "relay_receipts: two heard of one's"
expect 0 "1 receipt came" b sync "$W/two" --via "$RELAY"
[ "$(ids "$W/two" held | wc -l)" -eq 2 ] || fail "relay_receipts: two does not know"
stop_relay
PIDS=
ok "relay_carries relay_receipts"

# relay_agrees_with_link: later over the link: nothing is sent again.
start_node
expect 0 "verified.:true" b sync "$W/one" --json
[ "$(field parcels_sent)" = 0 ] || fail "relay_agrees_with_link: $(cat "$W/out")"

# relay_by_itself: it reaches the office without being told, and is found on the LAN only by its own programme.
submit one 1 >>"$W/want"
lan=$HOST:7448 # nobody else is at this address
start_relay relay --every 1 --discover "$lan"
expect 0 "handed" b sync "$W/one" --via "lan:$lan"
until_true 30 grep -q "brought to the office" "$W/relay.out" || fail "relay_by_itself: $(cat "$W/relay.err")"
expect 0 "receipts? came" b sync "$W/one" --via "lan:$lan"
[ "$(ids "$W/one" held | wc -l)" -eq 5 ] || fail "relay_by_itself: no receipt"
head -c 32 /dev/urandom >"$W/key2"
expect 0 "" "$B" init "$W/other" --programme "Another" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09 --key-file "$W/key2"
"$B" serve "$W/other" --listen "$HOST:0" --key-file "$W/key2" >"$W/other.out" 2>&1 &
OTHER_PID=$!
PIDS="$PIDS $OTHER_PID"
until_true 30 grep -q '^listening on ' "$W/other.out" || fail "the other programme's node does not come up"
ADDRESS2=$(sed -n 's/^listening on //p' "$W/other.out")
line=$("$B" invite "$W/other" --role member --area SM09010101 --name stranger --address "$ADDRESS2" --key-file "$W/key2")
expect 0 "" "$B" join "$W/stranger" "$line" --key-file "$W/key2"
expect 75 "cannot reach" "$B" sync "$W/stranger" --via "lan:$lan" --key-file "$W/key2"
expect 77 "not enrolled" "$B" sync "$W/stranger" --via "$RELAY" --key-file "$W/key2"
# what is no relay gets nothing: the other programme's node in its place
expect 77 "" b sync "$W/one" --via "$ADDRESS2"
kill "$OTHER_PID"
wait "$OTHER_PID"
stop_relay
PIDS=
ok "relay_by_itself relay_of_another_programme"

# relay_full: no more than its space; what has no room waits at its author's.
head -c 900000 /dev/urandom | base64 -w 1400 | head -n 800 | sed 's/.*/{"note":"&"}/' >"$W/notes"
expect 0 '"accepted":800' b submit "$W/two" N --answers "$W/notes" --json
submit two 20 >>"$W/want"
start_relay relay --every 0 --space 1
for i in 1 2 3 4 5 6; do
	b sync "$W/two" --via "$RELAY" >>"$W/full" 2>&1 || break
done
stop_relay
PIDS=
grep -q "no room there\|room for more" "$W/full" || fail "relay_full: it was never full: $(tail -n 3 "$W/full")"
size=$(du -sk "$W/relay/data.mdb" | cut -f1)
[ "$size" -lt 8192 ] || fail "relay_full: the relay's store has $size KiB"
expect 0 "" b sync "$W/relay"
expect 0 "agree" b sync "$W/two"
sort "$W/want" >"$W/want2"
ids "$W/node" | cmp -s - "$W/want2" || fail "relay_full: something was lost"
[ "$(b list "$W/node" N --json | wc -l)" -eq 800 ] || fail "relay_full: $(b list "$W/node" N --json | wc -l) notes of 800"
ok "relay_full"

# hostile_relay_drops, hostile_relay_stolen: its store is gone; another road brings the same records.
submit one 2 >>"$W/want"
start_relay relay --every 0
expect 0 "handed" b sync "$W/one" --via "$RELAY"
stop_relay
PIDS=
cp -a "$W/relay" "$W/stolen"
rm -rf "$W/relay"
[ "$(ids "$W/one" sent | wc -l)" -eq 2 ] || fail "hostile_relay_drops: freed without a receipt"
# who has the relay's store and its key finds no word of the authors
for word in "End to end" F9_session SM09010102; do
	if "$B" list "$W/stolen" F9_session --key-file "$W/key" --json | grep -qF "$word\"," && [ "$word" = SM09010102 ]; then
		fail "hostile_relay_stolen: shows $word"
	fi
done
expect 0 "agree" b sync "$W/one"
# the thief brings what the relay had, as the relay, and again after it was shut out
mv "$W/stolen" "$W/relay"
expect 0 "" b sync "$W/relay"
expect 0 "" b revoke "$W/node" relay --reason stolen
expect 77 "shut out" b sync "$W/relay"
sort "$W/want" >"$W/want2"
ids "$W/node" | cmp -s - "$W/want2" || fail "hostile_relay_drops: the office has other records"
stop_node
ok "hostile_relay_drops hostile_relay_stolen"
pass "a relay between villages"
