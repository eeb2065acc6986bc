# agent.sh BANYAN SOURCE COUNTED: a device that keeps itself in step: nobody calls sync. Where the kernel allows it the test has
# a network of its own, whose one link is taken away and given back.
if [ -z "${BANYAN_TEST_NET:-}" ] && unshare -rn ip link set lo up 2>/dev/null; then
	exec env BANYAN_TEST_NET=own unshare -rn sh "$0" "$@"
fi
. "$2/tests/e2e/lib.sh"
counted=$1
own=${BANYAN_TEST_NET:-}
[ -z "$own" ] || ip link set lo up

link_goes() { ip address del 127.0.0.1/8 dev lo; }
link_comes() { ip address add 127.0.0.1/8 dev lo; }
# line N: a number of $W/counts. bytes, links: what passed till now, read from now on, when no connection is open any more.
line() { sed -n "$1 { s/^0*//; s/^$/0/; p; }" "$W/counts"; }
all_counted() { [ "$(line 3)" = 0 ] && [ "$(line 4)" -ge "$fresh" ]; }
settled() {
	fresh=$(($(line 4) + 2))
	until_true 30 all_counted || fail "a connection stays open"
	line "$1"
}
bytes() { settled 1; }
links() { settled 2; }
# told NAME: of the agent in `status --json` of the store one, or $of.
told() { b status "$W/${of:-one}" --json | sed -n "s/.*\"agent\":{[^}]*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
says() { [ "$(told why)" = "$1" ]; }
# start_agent STORE OPTIONS...
start_agent() {
	store=$1
	shift
	: >"$W/agent.out"
	"$B" agent "$W/$store" --key-file "$W/key" "$@" >"$W/agent.out" 2>>"$W/agent.err" &
	AGENT=$!
	PIDS="$WIRE_PID $AGENT"
	until_true 30 grep -q "the agent runs" "$W/agent.out" || fail "the agent does not come up: $(cat "$W/agent.err")"
}
stop_agent() {
	kill "$AGENT"
	wait "$AGENT" || fail "the agent did not end cleanly: $? $(cat "$W/agent.err")"
	PIDS=$WIRE_PID
}
# arrived N: the office has N records.
arrived() { [ "$(ids "$W/node" | wc -l)" -eq "$1" ]; }

make_node F9_session
consent_form
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
"$counted" "$ADDRESS" "$W/counts" >"$W/wire.out" &
WIRE_PID=$!
PIDS=$WIRE_PID
until_true 10 test -s "$W/wire.out"
node_address=$ADDRESS ADDRESS=$(cat "$W/wire.out")
device one SM09010101
device two SM09010102
ADDRESS=$node_address
expect 0 "" b sync "$W/one"
expect 0 "" b sync "$W/two"

# agent_sends: what is finished goes out by itself; other commands work meanwhile.
start_agent one
submit one 1 >/dev/null
until_true 20 arrived 1 || fail "agent_sends: nothing arrives: $(cat "$W/agent.err")"
until_true 10 says nothing || fail "agent_sends: it waits because of $(told why)"
expect 0 "The agent runs: nothing waits" b status "$W/one"
expect 0 "" b sync "$W/one"
expect 75 "another banyan" b relay "$W/one" --listen "$HOST:0"
expect 75 "another banyan" b agent "$W/one"
ok "agent_sends"

# agent_once: everything that waits, records, answers, attachments, leaves by one connection: the radio is woken once.
before=$(links)
sessions 60 >"$W/answers"
head -c 200000 /dev/urandom >"$W/page.jpg"
echo '{"who":"Sokha","page":"page.jpg"}' >"$W/page.jsonl"
stop_agent
b submit "$W/one" F9_session --answers "$W/answers" >/dev/null
(cd "$W" && b submit "$W/one" A1 --answers page.jsonl >/dev/null)
start_agent one
until_true 20 arrived 61 || fail "agent_once: $(ids "$W/node" | wc -l) records"
until_true 10 says nothing || fail "agent_once: it waits because of $(told why)"
expect 0 '1 attachments checked; 0' b check "$W/node"
[ $(($(links) - before)) -eq 1 ] || fail "agent_once: $(($(links) - before)) connections"
before=$(links)
submit one 2 >/dev/null
expect 0 "agree" b sync "$W/one"
[ $(($(links) - before)) -le 2 ] || fail "agent_once: a sync took more than one connection"
until_true 10 says nothing || fail "agent_once: it waits because of $(told why)"
ok "agent_once"

# agent_attached: submit through the agent takes files by where the asker is; an attachment alone is cause enough for a try.
mkdir "$W/elsewhere"
cp "$W/page.jpg" "$W/elsewhere/other.jpg"
echo '{"who":"Dara","page":"other.jpg"}' >"$W/elsewhere/other.jsonl"
(cd "$W/elsewhere" && expect 0 "1 accepted" b submit "$W/one" A1 --answers other.jsonl) || exit 1
mv "$W/page.jpg" "$W/moved.jpg"
(cd "$W/elsewhere" && expect 65 "no file" b submit "$W/one" A1 --answers "$W/page.jsonl") || exit 1
until_true 20 sh -c "'$B' check '$W/node' --key-file '$W/key' 2>&1 | grep -q '^2 attachments checked; 0'" ||
	fail "agent_attached: $(b check "$W/node" 2>&1 | tail -2) $(cat "$W/agent.err")"
until_true 10 says nothing || fail "agent_attached: it waits because of $(told why)"
stop_agent
# the record by a budget that holds no more, then the agent: only the attachment waits
echo '{"who":"Vanna","page":"moved.jpg"}' >"$W/third.jsonl"
expect 0 "1 accepted" b submit "$W/one" A1 --answers "$W/third.jsonl"
expect 75 '"attachments_waiting":1' b sync "$W/one" --json --bytes-max 4000
expect 0 '"records_waiting":0' b status "$W/one" --json
start_agent one
until_true 20 sh -c "'$B' check '$W/node' --key-file '$W/key' 2>&1 | grep -q '^3 attachments checked; 0'" ||
	fail "agent_attached: alone it does not go: $(cat "$W/agent.err")"
until_true 10 says nothing || fail "agent_attached: it waits because of $(told why)"
ok "agent_attached"

# agent_idle: nothing to send costs nothing, links that come and go neither.
before=$(bytes)
for i in 1 2; do
	[ -z "$own" ] || { link_goes; link_comes; }
	sleep 1
done
[ "$(bytes)" -eq "$before" ] || fail "agent_idle: $(($(bytes) - before)) bytes"
ok "agent_idle: 0 bytes"

# agent_link: finished without a link; the link comes.
if [ -n "$own" ]; then
	link_goes
	submit one 2 >/dev/null
	until_true 10 says no_link || fail "agent_link: it waits because of $(told why)"
	expect 0 "there is no link" b status "$W/one"
	link_comes
else
	stop_node
	submit one 2 >/dev/null
	until_true 10 says failed || fail "agent_link: it waits because of $(told why)"
	start_node
fi
until_true 30 arrived 65 || fail "agent_link: nothing arrives: $(cat "$W/agent.err")"
ok "agent_link${own:+ (its own network)}"

# agent_killed: at any time; nothing is lost, nothing comes twice, and what was used of the day is known.
for i in 1 2 3 4; do
	submit one 5 >/dev/null
	sleep "0.$(number 4)"
	kill -9 "$AGENT"
	wait "$AGENT" 2>/dev/null
	start_agent one
done
until_true 40 arrived 85 || fail "agent_killed: $(ids "$W/node" | wc -l) records of 85"
until_true 10 says nothing || fail "agent_killed: it waits because of $(told why)"
tries=$(told tries_today)
[ "$tries" -ge 4 ] && [ "$(told bytes_today)" -gt 1000 ] || fail "agent_killed: it forgot: $tries tries"
stop_agent
[ ! -e "$W/one/socket" ] || fail "agent_killed: its socket is left"
expect 0 "does not run" b status "$W/one"
ok "agent_killed: $tries tries"

# agent_tries: the day's tries are used up, also by an agent that ran before.
start_agent one --wakes-a-day "$tries"
submit one 1 >/dev/null
until_true 10 says wakes || fail "agent_tries: it waits because of $(told why)"
before=$(bytes)
sleep 1
[ "$(bytes)" -eq "$before" ] && arrived 85 || fail "agent_tries: it tried"
expect 0 "tries of this day are used up.*next try 20" b status "$W/one"
expect 0 "agree" b sync "$W/one"
arrived 86 || fail "agent_tries: a sync that was asked for does not go"
stop_agent

# agent_bytes: more waits than a day may carry.
before=$(bytes)
of=two
submit two 600 >/dev/null
start_agent two --bytes-a-day 8192
until_true 30 says bytes || fail "agent_bytes: it waits because of $(told why): $(cat "$W/agent.err")"
used=$(($(bytes) - before))
[ "$used" -gt 1000 ] && [ "$used" -le 8192 ] || fail "agent_bytes: $used bytes"
[ "$(told bytes_today)" -ge "$used" ] || fail "agent_bytes: it counts $(told bytes_today) of $used"
expect 0 "bytes of this day are used up" b status "$W/two"
stop_agent
start_agent two
until_true 40 arrived 686 || fail "agent_bytes: $(ids "$W/node" | wc -l) records"
stop_agent
ok "agent_tries agent_bytes: $used bytes of 8192"

# agent_via: the office is away, a relay is not.
device relay SM09010103
expect 0 "" b sync "$W/relay"
stop_node
start_relay relay --every 0
of=one
used=$(told bytes_today)
start_agent one --via "$RELAY"
PIDS="$PIDS $RELAY_PID"
submit one 1 >/dev/null
until_true 20 says failed || fail "agent_via: it waits because of $(told why)"
[ "$(told bytes_today)" -ge $((used + 300)) ] || fail "agent_via: connecting in vain cost nothing: $(told bytes_today), before $used"
stop_agent
stop_relay
start_node
expect 0 "1 envelope of others" b sync "$W/relay"
arrived 687 || fail "agent_via: $(ids "$W/node" | wc -l) records"
ok "agent_via"

# agent_shut_out: it stops trying, and says so.
of=two
start_agent two
expect 0 "" b revoke "$W/node" two --reason lost
submit two 1 >/dev/null
until_true 20 says refused || fail "agent_shut_out: it waits because of $(told why)"
before=$(bytes)
submit two 1 >/dev/null
[ -z "$own" ] || { link_goes; link_comes; }
sleep 1
[ "$(bytes)" -eq "$before" ] || fail "agent_shut_out: it goes on"
expect 0 "shut this device out" b status "$W/two"
stop_agent
stop_node
ok "agent_shut_out"
pass "a device keeps itself in step"
