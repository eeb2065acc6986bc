# kills.sh BANYAN SOURCE WAITS WHAT [COUNT]: kill -9 of one thing under load, COUNT times (10 if not said). WHAT is
#   relay   `banyan relay`, while devices hand envelopes in and it meets the office
#   agent   `banyan agent`, while records are finished through it
#   sync    a device's plain `sync`
#   nodes   two nodes of one office and the office above, in the middle of their exchanges: each in its turn, or who asks it
#   opener  the node between acknowledging and opening: many parcels came, and their devices heard that they are held
# Each time it comes up by itself; what was acknowledged is there, nothing is there twice, `check` finds nothing. Of many
# rounds every tenth is looked at: what was lost once stays lost.
. "$2/tests/e2e/lib.sh"
waits=$1
what=$2
count=${3:-10}
each=1
[ "$count" -le 20 ] || each=10
LOAD= # processes that make it

# told DEVICE N: finish N records; those that the program told of are kept in DEVICE.told.
told() {
	sessions "$2" >"$W/$1.answers"
	b submit "$W/$1" F9_session --answers "$W/$1.answers" --json >"$W/$1.out" 2>>"$W/$1.err"
	sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p' "$W/$1.out" >>"$W/$1.told"
}
# load FUNCTION...: it is called until the round is over.
load() {
	(while [ ! -e "$W/stop" ]; do "$@"; done) &
	LOAD="$LOAD $!"
	PIDS="$PIDS $!"
}
load_ends() {
	: >"$W/stop"
	wait $LOAD
	LOAD=
	rm "$W/stop"
}
moment() { sleep "0.$(number 7)$(number 10)"; }
# within MS: a time below so many milliseconds, drawn before it is needed.
within() { printf '0.%03d' "$(number "$1")"; }
# takes COMMAND...: how many milliseconds it takes.
takes() {
	start=$(date +%s%N)
	"$@" >/dev/null 2>&1
	echo $((($(date +%s%N) - start) / 1000000 + 1))
}
# killed PID: and gone.
killed() {
	kill -9 "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}
OFFICE=node # where devices belong
# held_is_there DEVICE...: what a device knows to be held is at the office.
held_is_there() {
	ids "$W/$OFFICE" >"$W/at_node"
	for d; do
		{ ids "$W/$d" held; ids "$W/$d" safe; } | sort >"$W/$d.held"
		comm -23 "$W/$d.held" "$W/at_node" >"$W/lost"
		[ ! -s "$W/lost" ] || fail "round $round: $d knows as held, and the office lost: $(cat "$W/lost")"
	done
}
# all_agree DEVICE...: after the last round: all that was finished is at the office, once.
all_agree() {
	: >"$W/filled"
	for d; do
		expect 0 "agree" b sync "$W/$d"
		ids "$W/$d" >"$W/$d.listed"
		sort "$W/$d.told" | comm -23 - "$W/$d.listed" >"$W/lost"
		[ ! -s "$W/lost" ] || fail "$d: submit told them, list does not: $(cat "$W/lost")"
		expect 0 "all is as it should be" b check "$W/$d"
		cat "$W/$d.listed" >>"$W/filled"
	done
	sort "$W/filled" -o "$W/filled"
	once_at $OFFICE
	expect 0 "all is as it should be" b check "$W/$OFFICE"
	total=$(wc -l <"$W/filled")
}
# once_at STORE: it lists what was filled, each record once.
once_at() {
	b list "$W/$1" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at"
	cmp -s "$W/filled" "$W/at" || fail "filled and at $1 differ: $(comm -3 "$W/filled" "$W/at" | head)"
	[ -z "$(uniq -d "$W/at")" ] || fail "twice at $1"
}
# rounds FUNCTION LOOK...: call FUNCTION for each round, and LOOK after those that are looked at.
rounds() {
	one_round=$1
	shift
	round=0
	while [ "$round" -lt "$count" ]; do
		round=$((round + 1))
		$one_round
		[ $((round % each)) -ne 0 ] || "$@"
	done
}
# devices NAME...: members of the node, which have met it.
devices() {
	n=0
	for d; do
		n=$((n + 1))
		device "$d" SM0901010$n
		expect 0 "agree" b sync "$W/$d"
		: >"$W/$d.told" && : >"$W/$d.handed"
	done
}

# ---- relay ----

relay_starts() {
	: >"$W/relay.out"
	"$B" relay "$W/relay" --listen "$HOST:0" --every 1 --key-file "$W/key" >"$W/relay.out" 2>>"$W/relay.err" &
	RELAY_PID=$!
	PIDS="$PIDS $RELAY_PID"
	until_true 30 grep -q '^listening on ' "$W/relay.out" || fail "the relay does not come up: $(tail -3 "$W/relay.err")"
	RELAY=$(sed -n 's/^listening on //p' "$W/relay.out")
}
# What was told before it went to the relay and had room there is the relay's to bring.
hand_over() {
	told "$1" 3
	if b sync "$W/$1" --via "$RELAY" --json >"$W/$1.via" 2>>"$W/$1.err" && grep -q '"parcels_waiting":0' "$W/$1.via"; then
		cp "$W/$1.told" "$W/$1.handed"
	fi
}
meet_office() { b sync "$W/relay" >>"$W/relay.meets" 2>&1; }
relay_round() {
	pause=$(within $((span * 3)))
	load hand_over one
	load hand_over two
	load meet_office
	sleep "$pause"
	killed "$RELAY_PID"
	load_ends
	relay_starts
}
# No device meets the office by itself: what is there came by the relay.
relay_kept() {
	expect 0 "agree" b sync "$W/relay"
	ids "$W/node" >"$W/at_node"
	for d in one two; do
		sort "$W/$d.handed" | comm -23 - "$W/at_node" >"$W/lost"
		[ ! -s "$W/lost" ] || fail "round $round: the relay took of $d, and lost: $(cat "$W/lost")"
	done
	held_is_there one two
}
kills_of_relay() {
	devices one two relay
	relay_starts
	span=$(takes hand_over one)
	rounds relay_round relay_kept
	relay_kept
	[ -s "$W/one.handed" ] || [ -s "$W/two.handed" ] || fail "nothing was ever handed over"
	met=$(grep -c "of others brought" "$W/relay.meets")
	kill "$RELAY_PID"
	wait "$RELAY_PID" || fail "the relay does not end: $?"
	all_agree one two relay
	pass "relay: $count times killed, $met times after it met the office; $total records, none lost, none twice"
}

# ---- agent ----

agent_starts() {
	: >"$W/agent.out"
	"$B" agent "$W/one" --key-file "$W/key" >"$W/agent.out" 2>>"$W/agent.err" &
	AGENT_PID=$!
	PIDS="$PIDS $AGENT_PID"
	until_true 30 grep -q "the agent runs" "$W/agent.out" || fail "the agent does not come up: $(tail -3 "$W/agent.err")"
}
tries_of_agent() { b status "$W/one" --json | sed -n 's/.*"tries_today":\([0-9]*\).*/\1/p'; }
# Each other time within a session: something waits when it starts.
agent_round() {
	told one 3
	last=$(tail -n 1 "$W/one.told")
	pause=$(within $((round % 2 == 1 ? span : 700)))
	agent_starts
	load told one 3
	sleep "$pause"
	killed "$AGENT_PID"
	load_ends
	ids "$W/one" held | grep -q "$last" || early=$((early + 1))
}
# It knows what it used of the day.
agent_remembers() {
	held_is_there one
	now=$(tries_of_agent)
	[ "$now" -ge "$tries" ] || fail "round $round: the agent forgot: $now tries, $tries before"
	tries=$now
}
all_held() { [ "$(ids "$W/one" | wc -l)" -eq "$(ids "$W/node" | wc -l)" ]; }
kills_of_agent() {
	devices one
	tries=0 early=0
	told one 3
	span=$(takes b sync "$W/one")
	rounds agent_round agent_remembers
	agent_starts
	until_true 60 all_held || fail "the agent brought $(ids "$W/node" | wc -l) of $(ids "$W/one" | wc -l)"
	kill "$AGENT_PID"
	wait "$AGENT_PID" || fail "the agent does not end: $?"
	[ ! -e "$W/one/socket" ] || fail "the agent left its socket"
	all_agree one
	pass "agent: $count times killed, $early times before the office's word was kept, $tries tries; $total records, none lost, none twice"
}

# ---- sync ----

sync_round() {
	for d in one two three; do
		told $d 5
	done
	pause=$(within $((span * 2)))
	for d in one two three; do
		"$B" sync "$W/$d" --key-file "$W/key" >>"$W/$d.sync" 2>&1 &
		LOAD="$LOAD $!"
		PIDS="$PIDS $!"
	done
	sleep "$pause"
	for pid in $LOAD; do
		kill -9 "$pid" 2>/dev/null && in_time=$((in_time + 1))
	done
	wait $LOAD
	LOAD=
}
kills_of_sync() {
	in_time=0
	devices one two three
	told one 5
	span=$(takes b sync "$W/one")
	rounds sync_round held_is_there one two three
	all_agree one two three
	pass "sync: $in_time killed in $((count * 3)) syncs; $total records, none lost, none twice"
}

# ---- nodes ----

serves() {
	up "$1"
	mv "$W/$1.pid" "$W/$1.serves"
}
exchange() { b sync "$W/$1" >>"$W/$1.sync" 2>&1; }
bring() {
	told "$1" 3
	b sync "$W/$1" >>"$W/$1.sync" 2>&1
}
# The office above asks about the record that was told last and is there.
review() {
	id=$(tail -n 20 "$W/one.told" | head -n 1)
	[ -n "$id" ] && b review "$W/nation" "$id" --state has_issues --note "say more" >/dev/null 2>&1 && echo "$id" >>"$W/reviewed"
	sleep 0.2
}
# In turn: the office above, the node, its second node, all of which serve; and the second node's own `sync`.
nodes_round() {
	load bring one
	load bring two
	load exchange province
	load review
	if [ $((round % 4)) -eq 3 ]; then
		killed "$(cat "$W/second.serves")"
		pause=$(within $((span * 2)))
		"$B" sync "$W/second" --key-file "$W/key" >>"$W/second.sync" 2>&1 &
		victim=$!
		sleep "$pause"
		name=second
	else
		load exchange second
		name=$(echo nation province second | cut -d ' ' -f $((1 + round % 4)))
		victim=$(cat "$W/$name.serves")
		moment
	fi
	killed "$victim"
	load_ends
	serves "$name"
}
# What is at the one is at the others: records of the node, reviews of the office above.
nodes_hold() {
	expect 0 "agree" b sync "$W/second"
	expect 0 "agree" b sync "$W/province"
	expect 0 "agree" b sync "$W/second"
	held_is_there one two # a device may have been at the second node
	cp "$W/at_node" "$W/filled"
	once_at second
	once_at nation
	for id in $(sort -u "$W/reviewed"); do
		for name in province second; do
			b show "$W/$name" "$id" --json | grep -q '"review":"has_issues"' ||
				fail "round $round: the review of $id from above is not at $name"
		done
	done
	sort -u "$W/reviewed" >>"$W/all.reviewed"
	: >"$W/reviewed"
}
kills_of_nodes() {
	OFFICE=province
	head -c 32 /dev/urandom >"$W/key"
	awk -F, -v OFS=, 'NR == 1 { print; print "SM,,nation,Serei,"; next } $1 == "SM09" { $2 = "SM" } { print }' \
		"$SOURCE/schemas/areas/demo_province.csv" >"$W/areas.csv"
	expect 0 "" b init "$W/nation" --programme "Kills" --areas "$W/areas.csv" --area SM
	expect 0 "" b form add "$W/nation" "$SOURCE/schemas/forms/F9_session.md"
	serves nation
	below province nation node SM09
	expect 0 "let in" b devices "$W/nation" --approve province
	expect 0 "agree" b sync "$W/province"
	serves province
	below second province node SM09
	serves second
	expect 0 "let in" b devices "$W/province" --approve second --address "$(cat "$W/second.address")"
	expect 0 "agree" b sync "$W/second"
	span=$(takes b sync "$W/second")
	: >"$W/reviewed"
	for d in one two; do
		below $d province member SM09010101
		expect 0 "agree" b sync "$W/$d"
		: >"$W/$d.told"
	done
	rounds nodes_round nodes_hold
	nodes_hold
	all_agree one two
	nodes_hold
	for name in second nation; do
		expect 0 "all is as it should be" b check "$W/$name"
	done
	pass "nodes: $count times killed; $total records, $(sort -u "$W/all.reviewed" | wc -l) reviews from above, none lost, none twice"
}

# ---- opener ----

# Many records come at once; as soon as one device has heard that its own are held the node dies. How far it was with opening
# is read from its store.
opener_round() {
	for d in one two three; do
		told $d $((count > 20 ? 200 : 80))
	done
	for d in two three one; do
		b sync "$W/$d" >>"$W/$d.sync" 2>&1 &
		LOAD="$LOAD $!"
	done
	wait $! || fail "round $round: no sync"
	killed "$NODE_PID"
	wait $LOAD
	LOAD=
	set -- $("$waits" "$W/node" "$W/key")
	[ $# -eq 2 ] || fail "round $round: the store does not open"
	came=$(($1 - arrivals))
	[ "$2" -eq 0 ] || waited=$((waited + 1))
	[ "$2" -eq 0 ] || [ "$2" -ge "$came" ] || middle=$((middle + 1))
	arrivals=$1
	start_node
}
kills_of_opener() {
	devices one two three
	arrivals=0 waited=0 middle=0
	rounds opener_round held_is_there one two three
	[ "$waited" -gt 0 ] || [ "$count" -lt 10 ] || fail "it was never killed before it had opened all"
	all_agree one two three
	pass "opener: $count times killed, $waited times before all was opened, $middle of them in the middle; $total records, none lost, none twice"
}

case $what in
relay | agent | sync | opener)
	make_node F9_session
	start_node
	;;
nodes) ;;
*) fail "kills.sh knows no $what" ;;
esac
kills_of_"$what"
