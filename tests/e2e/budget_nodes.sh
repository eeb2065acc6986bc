# budget_nodes.sh BANYAN SOURCE: what an office's sync with the one above may cost, and the one between two
# nodes of an office: each keeps to its --bytes-max (exit 75), the next one goes on where it ended, nothing
# goes twice.
. "$2/tests/e2e/lib.sh"
SERVE_OPTIONS="--above-every 0"
MAX=${BANYAN_BUDGET:-7000}
form() { echo "$SOURCE/schemas/forms/$1.md"; }

# bounded NAME: syncs within MAX bytes until both sides agree; parcels that went up and came down are
# summed up in $up and $taken, the most bytes of one in $most.
bounded() {
	up=0 taken=0 most=0 rounds=0
	while :; do
		b sync "$W/$1" --bytes-max "$MAX" --json >"$W/out" 2>"$W/err" </dev/null
		got=$?
		rounds=$((rounds + 1))
		used=$(($(field bytes_sent) + $(field bytes_received)))
		[ "$used" -le "$MAX" ] || fail "$used bytes, where $MAX are allowed"
		[ "$used" -le "$most" ] || most=$used
		n=$(field parcels_carried) up=$((up + ${n:-0}))
		n=$(field parcels_taken) taken=$((taken + ${n:-0}))
		[ "$got" -eq 75 ] || break
		[ "$rounds" -lt 60 ] || fail "it comes to no end"
	done
	[ "$got" -eq 0 ] || fail "exit status $got: $(cat "$W/err")"
}

province "Budget" "$(form F9_session)" "$(form F4_referral)"
office north province SM0901
below second north node SM0901
expect 75 "not approved" b sync "$W/second"
expect 0 "let in" b devices "$W/north" --approve second --address 127.0.0.1:9
expect 75 "used up|too small" b sync "$W/second" --bytes-max 9000 # its full handshake
expect 64 "what comes down" b sync "$W/second" --bytes-max 9000
expect 0 "agree" b sync "$W/second"
below one north member SM09010101
expect 0 "agree" b sync "$W/one"
sent=0
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	submit one 3 >/dev/null
	expect 0 '"verified":true' b sync "$W/one" --json
	sent=$((sent + $(field parcels_sent)))
done
# The last one is urgent. A node that has no urgent one above its usual ones would bring it up last.
sed 's|"urgent/urgency": "[a-z_0-9]*"|"urgent/urgency": "immediate_24h"|' \
	"$SOURCE/schemas/forms/samples/F4_referral.jsonl" >"$W/urgent.jsonl"
expect 0 "" b submit "$W/one" F4_referral --answers "$W/urgent.jsonl"
urgent=$(count one F4_referral)
expect 0 '"verified":true' b sync "$W/one" --json
sent=$((sent + $(field parcels_sent)))

expect 64 "at least 65536" b serve "$W/second" --listen 127.0.0.1:0 --above-bytes-a-day 5
expect 64 "needs [0-9]* bytes more" b sync "$W/north" --bytes-max 900
expect 75 "" b sync "$W/north" --bytes-max "$MAX" --json
first=$(field parcels_carried)
same "urgent records above after the first sync" "$(count province F4_referral)" "$urgent"
usual=$(count province F9_session)
[ "$usual" -lt 30 ] || fail "$usual of 36 usual ones fit into the first sync: it shows nothing"
bounded north
same "parcels that went up" $((up + first)) "$sent"
same "records above" "$(count province F9_session)" 36
expect 0 "agree" b sync "$W/north"
ok "$sent parcels went up in $rounds syncs of at most $most bytes, each once"

# What officers above write comes down within a budget too.
for id in $(ids "$W/province"); do
	expect 0 "" b review "$W/province" "$id" --state approved --note "seen from above, with a note"
done
bounded north
[ "$taken" -gt 0 ] && [ "$rounds" -gt 1 ] || fail "$taken parcels came in $rounds syncs"
same "reviewed records below" "$(ids "$W/north" approved | wc -l)" 36
expect 0 '"verified":true' b sync "$W/north" --json
ok "$taken parcels came down in $rounds syncs of at most $most bytes"

# Between the two nodes of an office.
MAX=12000
bounded second
same "records at the second node" "$(count second F9_session)" 36
ok "the second node was filled in $rounds syncs of at most $most bytes"
pass "syncs between nodes keep to a budget"
