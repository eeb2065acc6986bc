# rotate.sh BANYAN SOURCE: an office changes its key. What was sealed to the old one and is on its way still opens; devices
# seal to the new one from their next sync on; the second node, a node below and a restored backup go along.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
A=$ADDRESS
PIDS="$PIDS $NODE_PID"
device one SM09010101
device two SM0902
submit one 1 >"$W/sent"
expect 0 "agree" b sync "$W/one"
expect 0 "" b join "$W/twin" "$(invite twin SM09 node)"
expect 0 "let in" b devices "$W/node" --approve twin
expect 0 "agree" b sync "$W/twin"
expect 0 "" b join "$W/below" "$(invite below SM0904 node)"
expect 0 "let in" b devices "$W/node" --approve below
expect 0 "agree" b sync "$W/below"

submit one 1 >>"$W/sent" # sealed to key 1, and on its way
submit two 1 >>"$W/sent"
expect 0 "" b pack "$W/two" -o "$W/stick"
expect 0 "key 2" b rotate "$W/node"
expect 69 "at the office's first node" b rotate "$W/twin"
expect 69 "" b rotate "$W/one"
expect 0 "agree" b sync "$W/one"
submit one 1 >>"$W/sent" # sealed to key 2
expect 0 "agree" b sync "$W/one"
expect 0 "" b unpack "$W/node" "$W/stick"
holds_all() {
	sort "$W/sent" >"$W/all"
	ids "$1" >"$W/at"
	cmp -s "$W/all" "$W/at" || fail "$1 opens $(wc -l <"$W/at") of $(wc -l <"$W/all") records"
	expect 0 "all is as it should be" b check "$1"
}
holds_all "$W/node"
ok "old and new, by wire and by stick"

expect 0 "agree" b sync "$W/twin"
holds_all "$W/twin"
expect 0 "" b join "$W/twin2" "$(invite twin2 SM09 node)"
expect 0 "let in" b devices "$W/node" --approve twin2
expect 0 "agree" b sync "$W/twin2"
expect 0 "agree" b sync "$W/twin2"
holds_all "$W/twin2"
ok "the second node, and one that came after the change"

# the office below changes its own key, and goes on sending up what the office above may read
expect 0 "key 2" b rotate "$W/below"
ADDRESS=$HOST:0
start_node "$W/below"
PIDS="$PIDS $NODE_PID"
B_ADDRESS=$ADDRESS
expect 0 "" b join "$W/four" "$(b invite "$W/below" --role member --area SM0904 --name four --address "$B_ADDRESS")"
submit four 1 >>"$W/sent"
expect 0 "agree" b sync "$W/four"
expect 0 "agree" b sync "$W/below"
holds_all "$W/node"
ok "an office below"

# three more changes, one from the kept file; a device that slept through them all; then a restore from a backup
expect 0 "key 3" b rotate "$W/node"
expect 65 "" b rotate "$W/node" --root "$W/sent"
expect 0 "key 4" b rotate "$W/node" --root "$W/node.root"
expect 0 "" b backup "$W/node" -o "$W/backup"
submit two 1 >>"$W/sent" # sealed to key 1 still
for pid in $PIDS; do kill -9 "$pid"; wait "$pid" 2>/dev/null; done
PIDS=
rm -r "$W/node"
expect 0 "" b restore "$W/backup" "$W/node"
ADDRESS=$A
start_node
expect 0 "agree" b sync "$W/two"
submit two 1 >>"$W/sent"
expect 0 "agree" b sync "$W/two"
expect 0 "agree" b sync "$W/one"
holds_all "$W/node"
expect 0 "key 4" b audit "$W/node"
pass "an office changed its key four times, $(wc -l <"$W/all") records, all opened"
