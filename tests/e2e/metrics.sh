# metrics.sh BANYAN SOURCE GET: the node's numbers and its log, for who runs it: true, and nobody's name in them.
. "$2/tests/e2e/lib.sh"
GET=$1

make_node F9_session
expect 64 "on this machine only" b serve "$W/node" --listen "$HOST:0" --metrics 0.0.0.0:0
expect 64 "plain or json" b serve "$W/node" --listen "$HOST:0" --log loud
"$B" serve "$W/node" --listen "$HOST:0" --metrics "$HOST:0" --log json --key-file "$W/key" \
	>"$W/serve.out" 2>"$W/serve.err" &
NODE_PID=$!
until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the node does not come up"
ADDRESS=$(sed -n 's/^listening on //p' "$W/serve.out")
METRICS=$(sed -n 's|^metrics on http://\(.*\)/metrics$|\1|p' "$W/serve.out")
[ -n "$METRICS" ] || fail "does not say where its numbers are"

# value NAME: of one number now.
value() { "$GET" "$METRICS" "GET /metrics HTTP/1.1" | tr -d '\r' | sed -n "s/^banyan_$1 //p"; }
is() { [ "$(value "$1")" = "$2" ] || fail "$1 is $(value "$1") instead of $2"; }
opened() { [ "$(value opener_backlog)" = 0 ]; }

is records 0
device handset SM09010101
submit handset 7 >"$W/ids"
expect 0 "agree" b sync "$W/handset"
until_true 20 opened || fail "nothing is opened"
is records 7
is parcels_acknowledged_total 1
[ "$(value arrivals_opened_total)" -ge 1 ] || fail "what is opened is not counted"
is arrivals_set_aside 0
is store_refuses_writes 0
expect 0 "agree" b sync "$W/handset"
[ "$(value connections_resumed_total)" -ge 1 ] || fail "no session was resumed"
[ "$(value bytes_in_total)" -gt 500 ] || fail "bytes are not counted"
expect 0 "" b revoke "$W/node" handset --reason "secret-reason"
expect 77 "" b sync "$W/handset"
[ "$(value 'refused_total{error="E_REVOKED"}')" -ge 1 ] || fail "a refusal is not counted"
expect 0 "200 OK.*" "$GET" "$METRICS" "GET /health HTTP/1.1"
expect 0 '"status":"ok"' "$GET" "$METRICS" "GET /health HTTP/1.1"
expect 0 "^HTTP/1.1 404" "$GET" "$METRICS" "GET /names HTTP/1.1"
expect 0 "^HTTP/1.1 405" "$GET" "$METRICS" "POST /metrics HTTP/1.1"
long=$(head -c 6000 /dev/zero | tr '\0' x)
expect 0 "" "$GET" "$METRICS" "GET /$long HTTP/1.1"
[ ! -s "$W/out" ] || fail "a head without end is answered"
# silent ones take all places, and are put out
for i in 1 2 3 4 5 6 7 8; do
	"$GET" "$METRICS" "" &
	PIDS="$PIDS $!"
done
answers() { [ -n "$(value records)" ]; }
until_true 20 answers || fail "silent clients hold the numbers' door"
stop_node
grep -q '"event":"started"' "$W/serve.err" || fail "the log does not begin"
grep -q '"event":"left","peer":"[0-9a-f]\{8\}","n":1,"bytes":[0-9]' "$W/serve.err" || fail "the log does not tell of the upload"
grep -q '"level":"warning","event":"refused","peer":"[0-9a-f]\{8\}","error":"E_REVOKED"' "$W/serve.err" || fail "nor of the refusal"
grep -v '^{"time":"20[0-9T:Z-]*","level":"[a-z]*","event":"[a-z_]*"[^\\]*}$' "$W/serve.err" >"$W/odd"
[ ! -s "$W/odd" ] || fail "not JSON: $(head -n 1 "$W/odd")"
for name in handset SM0901 secret-reason "$HOST"; do
	! grep -qF "$name" "$W/serve.err" || fail "the log holds \"$name\""
done
pass "numbers and log of a node: $(wc -l <"$W/serve.err") lines, nobody's name"
