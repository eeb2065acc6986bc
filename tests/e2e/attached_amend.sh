# attached_amend.sh BANYAN SOURCE: an amendment brings another page: from the device that finished the record, and from the office; one that
# takes the answer away; what was attached before goes with the record when that is void.
. "$2/tests/e2e/lib.sh"
# amend NAME RECORD OPTIONS...: from the folder where the files are.
amend() {
	store=$W/$1
	shift
	(cd "$W" && b amend "$store" "$@")
}

none_there() { ! b check "$W/node" 2>&1 | grep -q "attachments checked"; }

consent_form
make_node F9_session
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
device one SM09010101
expect 0 "agree" b sync "$W/one"
id=$(submit_random one first 40000)
expect 0 '"attachments_sent":1' b sync "$W/one" --json
same_page node first

head -c 70000 /dev/urandom >"$W/second.jpg"
head -c 50000 /dev/urandom >"$W/third.jpg"
expect 65 'page: there is no file' amend one "$id" --set page=nowhere.jpg
expect 65 'does not allow|is no question|unknown|no field' amend one "$(submit one 1)" --set page=second.jpg
[ "$(attachments one)" = 1 ] || fail "what was refused is kept"
expect 0 "corrected" amend one "$id" --set page=second.jpg
[ "$(attachments one)" = 2 ] || fail "the device has $(attachments one) attachments"
expect 0 '"attachments_sent":1,"attachments_waiting":0' b sync "$W/one" --json
same_page node second
[ "$(attachments node)" = 2 ] || fail "the office has $(attachments node) attachments"
ok "another page, from the device"

expect 0 "corrected" amend node "$id" --set page=third.jpg
same_page node third
expect 0 "corrected" amend node "$id" --set page=
rm -rf "$W/exported"
expect 0 "" b export "$W/node" A1 -o "$W/exported"
[ "$(ls "$W/exported" | grep -c jpg)" -eq 0 ] || fail "what was taken away is exported"
[ "$(attachments node)" = 3 ] || fail "history lost what was attached"
ok "from the office, and taken away again"

expect 0 "no longer counts" b void "$W/node" "$id" --reason "the wrong child"
until_true 20 none_there || fail "a void record keeps its attachments: $(b check "$W/node" 2>&1)"
expect 0 "all is as it should be" b check "$W/node"
stop_node
pass "an amendment brings another page, or takes it away"
