# quota.sh BANYAN SOURCE: a device that brings more than its share of the node's disk: refused with a sentence, nothing lost,
# others served; the officer reads of it and lets it send more.
. "$2/tests/e2e/lib.sh"

head -c 32 /dev/urandom >"$W/key"
printf '%s\n' '| survey | | | |' '| | type | name | label |' '| | text | note | Note |' '| settings | | | |' \
	'| | form_id | version | form_title |' '| | F9_session | 1 | N |' >"$W/form.md"
expect 0 "" b init "$W/node" --programme Quota --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
expect 0 "" b form add "$W/node" "$W/form.md"
expect 64 "device-mib is a number" b serve "$W/node" --listen "$HOST:0" --device-mib none
expect 64 "device-mib is a number" b serve "$W/node" --listen "$HOST:0" --device-mib 0
"$B" serve "$W/node" --listen "$HOST:0" --device-mib 1 --key-file "$W/key" >"$W/serve.out" 2>>"$W/serve.err" &
PIDS=$!
until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the node does not come up"
kill "$PIDS" && wait "$PIDS"
PIDS=
start_node # the share stays
device one SM09010101
device two SM09010102

# 1,100 notes that compress little: some 1.15 MiB.
head -c 1300000 /dev/urandom | base64 -w 1400 | head -n 1100 | sed 's/.*/{"note":"&"}/' >"$W/notes"
expect 0 '"accepted":1100' b submit "$W/one" F9_session --answers "$W/notes" --json
expect 75 "this device has filled its share of the node's disk; nothing was lost, its records stay where they are" b sync "$W/one"
expect 75 '"reason":"this device has filled its share' b sync "$W/one" --json
sed -n 's/.*"records_waiting":\([0-9]*\).*/\1/p' "$W/out" >"$W/waiting"
[ "$(cat "$W/waiting")" -gt 0 ] && [ "$(cat "$W/waiting")" -lt 1100 ] || fail "$(cat "$W/waiting") records wait"
[ "$(ids "$W/one" | wc -l)" -eq 1100 ] || fail "the device has lost records"
came=$((1100 - $(cat "$W/waiting")))
until_true 30 sh -c "[ \$('$B' list '$W/node' F9_session --json --key-file '$W/key' | wc -l) -eq $came ]" || fail "$came records should be there"
used=$(du -sk "$W/node" | cut -f1)
for again in 1 2 3; do
	expect 75 "filled its share" b sync "$W/one"
done
[ $(($(du -sk "$W/node" | cut -f1) - used)) -lt 256 ] || fail "the node's store grows all the same"
ok "refused in one sentence, and the device keeps what it has"

echo '{"note":"short"}' >"$W/short"
expect 0 "" b submit "$W/two" F9_session --answers "$W/short"
expect 0 "agree" b sync "$W/two"
expect 0 'one \(SM09010101\) brought [01] MiB, of 1 that one device may fill here.*--approve "one"' b status "$W/node"
b status "$W/node" | grep -q "two (SM09010102) brought" && fail "the other device is told of too"
ok "others are served, and the officer reads of it"

# By a stick, and by a relay: refused as by a link; nothing is acknowledged, and the same stick counts later.
used=$(du -sk "$W/node" | cut -f1)
expect 0 "" b pack "$W/one" -o "$W/up" --json
sed -n 's/.*"parcels":\([0-9]*\).*/\1/p' "$W/out" >"$W/packed"
expect 65 "filled its share" b unpack "$W/node" "$W/up"
expect 0 "" b pack "$W/node" -o "$W/down" --for one
expect 0 "" b unpack "$W/one" "$W/down"
[ "$(b status "$W/one" --json | sed -n 's/.*"records_waiting":\([0-9]*\).*/\1/p')" -gt 0 ] || fail "a stick's receipt frees what was refused"
device relay SM09010103
expect 0 "" b sync "$W/relay"
by_relay relay one
expect 0 "" b sync "$W/relay"
[ $(($(du -sk "$W/node" | cut -f1) - used)) -lt 256 ] || fail "another road fills the node's disk"
[ "$(b list "$W/node" F9_session --json | wc -l)" -eq $((came + 1)) ] || fail "another road brings what a link may not"
ok "by whichever road"

expect 0 "" b devices "$W/node" --approve one
expect 0 "" b unpack "$W/node" "$W/up" --json
grep -q '"refused":0' "$W/out" || fail "the same stick is refused still: $(cat "$W/out")"
expect 0 "agree" b sync "$W/one"
expect 0 '"records_waiting":0' b status "$W/one" --json
until_true 30 sh -c "[ \$('$B' list '$W/node' F9_session --json --key-file '$W/key' | wc -l) -eq 1101 ]" || fail "not all records came"
expect 0 "" b check "$W/node"
stop_node
pass "an officer let it send more, and all of it came"
