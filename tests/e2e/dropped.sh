# dropped.sh PLAIN SOURCE SEARCH: what a record named goes with it: voided on its device before and after it was sent, voided at
# the office while it is still on its way, erased at the office. PLAIN does not seal, so that a search of raw files can tell.
. "$2/tests/e2e/lib.sh"
search=$1

gone() { "$search" "$@" >"$W/out" 2>&1; [ $? -eq 2 ]; }
there() { "$search" "$@" >"$W/out" 2>&1; }
# enter NAME DEVICE [OPTIONS]: a record of DEVICE with the file NAME.jpg full of a marker, which is in NAME; its id is printed.
enter() {
	echo "m$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)" >"$W/$1"
	awk '{ for (i = 0; i < 2000; i++) printf "%s|", $0 }' "$W/$1" >"$W/$1.jpg"
	submit_page "$2" "$1"
}

consent_form
make_node
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
device one SM09010101

# dropped_unsent: voided before it was sent; other records' stay.
r1=$(enter first one)
r2=$(enter second one)
there "$W/first" "$W/one" || fail "the search does not find what is there"
expect 0 "no longer counts" b void "$W/one" "$r1" --reason "entered twice"
gone "$W/first" "$W/one" || fail "dropped_unsent: it is still in the device's files"
there "$W/second" "$W/one" || fail "dropped_unsent: another record's is gone"
expect 0 '"attachments_sent":1,"attachments_waiting":0' b sync "$W/one" --json
there "$W/second" "$W/node" || fail "the search does not find what is there"
gone "$W/first" "$W/node" || fail "dropped_unsent: it is at the office"
ok "dropped_unsent"

# dropped_sent: voided by its author after it was sent: both ends.
expect 0 "no longer counts" b void "$W/one" "$r2" --reason "the wrong page"
gone "$W/second" "$W/one" || fail "dropped_sent: it is still in the device's files"
expect 0 "agree" b sync "$W/one"
until_true 20 gone "$W/second" "$W/node" || fail "dropped_sent: it is still in the node's files"
expect 0 "all is as it should be" b check "$W/node"
ok "dropped_sent"

# dropped_on_its_way: voided at the office while the device still has it to send: it is not taken, and the device keeps it no longer.
r3=$(enter third one)
expect 75 '"attachments_waiting":1' b sync "$W/one" --json --bytes-max 4000
expect 0 "no longer counts" b void "$W/node" "$r3" --reason "not needed"
expect 0 '"verified":true' b sync "$W/one" --json
grep -q attachments_waiting "$W/out" && fail "dropped_on_its_way: it goes on waiting"
gone "$W/third" "$W/node" || fail "dropped_on_its_way: it is at the office"
[ -z "$(attachments one)" ] || fail "dropped_on_its_way: the device keeps it"
expect 0 "agree" b sync "$W/one"
ok "dropped_on_its_way"

# dropped_erased: an order at the office reaches the device; a later attempt of an old copy of the device brings nothing back.
r4=$(enter fourth one)
r5=$(enter fifth one)
cp -r "$W/one" "$W/stale"
expect 0 '"attachments_sent":2' b sync "$W/one" --json
expect 0 "" b erase "$W/node" "$r4" --reason "consent withdrawn"
gone "$W/fourth" "$W/node" || fail "dropped_erased: it is still in the node's files"
there "$W/fifth" "$W/node" || fail "dropped_erased: another record's is gone"
expect 0 "agree" b sync "$W/one"
gone "$W/fourth" "$W/one" || fail "dropped_erased: it is still in the device's files"
there "$W/fifth" "$W/one" || fail "dropped_erased: another record's is gone from the device"
b sync "$W/stale" >"$W/out" 2>&1
gone "$W/fourth" "$W/node" "$W/one" || fail "dropped_erased: a copy of the device brought it back"
expect 0 "all is as it should be" b check "$W/node"
expect 0 "" b check "$W/node" --rebuild
gone "$W/fourth" "$W/node" || fail "dropped_erased: a rebuild brought it back"
stop_node
ok "dropped_erased"
pass "what a record named goes with it"
