# kill.sh BANYAN SOURCE [ROUNDS]: kill -9 of the node under load, ROUNDS times, and of devices in submit and sync.
# What a device saw acknowledged is at the node after each restart; what `submit` told arrives, once. Of hundreds of
# rounds each is short, and every twentieth is looked at: what was lost once stays lost.
. "$2/tests/e2e/lib.sh"
rounds=${1:-10}
each=1
[ "$rounds" -le 200 ] || each=20
devices="one two three"

make_node F9_session
start_node
n=0
for d in $devices; do
	n=$((n + 1))
	device $d SM0901010$n
	: >"$W/$d.told" && : >"$W/$d.held"
done

# known DEVICE COMMAND...: run it as a process whose number stands in DEVICE.pid.
known() {
	(shift && exec "$B" "$@" --key-file "$W/key") &
	echo $! >"$W/$1.pid"
	wait $!
}

# work DEVICE: a few records and a sync, as often as the round lasts.
work() {
	while [ ! -e "$W/stop" ]; do
		sessions 5 >"$W/$1.answers"
		known "$1" submit "$W/$1" F9_session --answers "$W/$1.answers" --json >"$W/$1.out"
		sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p' "$W/$1.out" >>"$W/$1.told"
		known "$1" sync "$W/$1" >>"$W/$1.sync" 2>&1
	done
}

# lost: acknowledged, and not at the node.
lost() {
	ids "$W/node" >"$W/at_node"
	cat $(for d in $devices; do echo "$W/$d.held"; done) | sort -u | comm -23 - "$W/at_node"
}

round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	rm -f "$W/stop"
	workers=
	for d in $devices; do
		work $d &
		workers="$workers $!"
		PIDS=$workers
	done
	if [ $each -eq 1 ]; then
		sleep 0.$((2 + $(number 7)))$(number 10)
	else
		sleep 0.$(number 3)$(number 10)
	fi
	kill_node
	# Each other time a device's process goes too, in whatever it was doing.
	if [ $((round % 2)) -eq 0 ]; then
		kill -9 "$(cat "$W/two.pid")" 2>/dev/null
	fi
	: >"$W/stop"
	wait $workers
	PIDS=
	start_node
	[ $((round % each)) -eq 0 ] || continue
	for d in $devices; do
		{ ids "$W/$d" held; ids "$W/$d" safe; } >"$W/$d.held"
	done
	missing=$(lost)
	[ -z "$missing" ] || fail "round $round: acknowledged, and lost: $missing"
done

for d in $devices; do
	expect 0 "agree" b sync "$W/$d"
	ids "$W/$d" >"$W/$d.listed"
	sort "$W/$d.told" | comm -23 - "$W/$d.listed" >"$W/lost"
	[ ! -s "$W/lost" ] || fail "$d: submit told them, list does not: $(cat "$W/lost")"
done
b list "$W/node" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at_node"
sort $(for d in $devices; do echo "$W/$d.listed"; done) >"$W/filled"
cmp -s "$W/filled" "$W/at_node" ||
	fail "filled and at the node differ: $(comm -3 "$W/filled" "$W/at_node" | head)"
[ -z "$(uniq -d "$W/at_node")" ] || fail "twice at the node"
pass "$rounds times killed, $(wc -l <"$W/at_node") records, none lost, none twice"
