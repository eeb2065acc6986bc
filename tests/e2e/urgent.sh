# urgent.sh BANYAN SOURCE COUNTED: an agent is in the middle of a long attachment on a slow link when something urgent is finished: it
# goes in the same connection, before the rest of the attachment.
. "$2/tests/e2e/lib.sh"
counted=$1
bytes() { sed -n '1 { s/^0*//; s/^$/0/; p; }' "$W/counts"; }
links() { sed -n '2 { s/^0*//; s/^$/0/; p; }' "$W/counts"; }
past() { [ "$(bytes)" -gt "$1" ]; }
there() { b list "$W/node" F4_referral --json | grep -q '"id"'; }

make_node F4_referral
consent_form
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
"$counted" "$ADDRESS" "$W/counts" 100000 >"$W/wire.out" &
PIDS=$!
until_true 10 test -s "$W/wire.out"
ADDRESS=$(cat "$W/wire.out")
device one SM09010101
expect 0 "" b sync "$W/one"

head -c 6000000 /dev/urandom >"$W/page.jpg"
echo '{"who":"Sokha","page":"page.jpg"}' >"$W/page.jsonl"
expect 0 "" b submit "$W/one" A1 --answers "$W/page.jsonl"
before=$(bytes) links=$(links)
"$B" agent "$W/one" --key-file "$W/key" >"$W/agent.out" 2>"$W/agent.err" &
AGENT=$!
PIDS="$PIDS $AGENT"
until_true 30 past $((before + 300000)) || fail "the attachment does not go: $(cat "$W/agent.err")"
there && fail "what is there?"
expect 0 "" b submit "$W/one" F4_referral --answers "$SOURCE/schemas/forms/samples/F4_referral.jsonl"
submitted=$(bytes)
until_true 30 there || fail "what is urgent waits: $(cat "$W/agent.err")"
passed=$(($(bytes) - before))
[ "$passed" -lt 5900000 ] || fail "it came behind the attachment: $passed bytes"
[ "$(links)" -eq $((links + 1)) ] || fail "$(($(links) - links)) connections"
kill "$AGENT"
wait "$AGENT" || fail "the agent did not end cleanly: $(cat "$W/agent.err")"
stop_node
pass "what is urgent goes before the rest: $((passed - submitted + before)) bytes after it was finished, $passed of 6,000,000 passed"
