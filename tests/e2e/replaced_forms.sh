# replaced_forms.sh BANYAN SOURCE: after `replace` the devices have the forms and the area table still, from the node before: they are
# named by their hash and not sent; with keys of its own, a second time, and from the root's file alone too.
. "$2/tests/e2e/lib.sh"
received() { sed -n 's/.*"bytes_received":\([0-9]*\).*/\1/p' "$W/out"; }
forms="F1_committee F2_situation F3_departures F4_referral F9_session"
# told DEVICE WHAT: it syncs, and fetches no form.
told() {
	expect 0 '"verified":true' b sync "$W/$1" --json
	came=$(received)
	[ "$came" -le "${3:-5000}" ] || fail "$came bytes came down to $1 $2"
	expect 0 "F2_situation" b form list "$W/$1"
	expect 0 '"verified":true' b sync "$W/$1" --json
	[ "$(received)" -le 700 ] || fail "a second sync of $1 $2 brings something: $(cat "$W/out")"
}
node_of() { sed -n 's/^node //p' "$W/node.root" | tail -1; }
# succeed OPTIONS...: the node is dead; its successor takes its place and address.
succeed() {
	kill_node
	rm -r "$W/node"
	expect 0 "" "$B" replace "$W/node" "$(node_of)" --root "$W/node.root" --new-key-file "$W/key" "$@"
}
make_node $forms
start_node
device one SM09010101
device two SM09010102
for d in one two; do expect 0 "agree" b sync "$W/$d"; done
expect 0 "" b backup "$W/node" -o "$W/backup"
succeed --backup "$W/backup" --new-key
start_node
told one "after the node got keys of its own"
first=$came
submit one 1 >/dev/null
expect 0 '"verified":true' b sync "$W/one" --json
ok "keys of its own: $first bytes instead of 95 KB"

# What the successor has new comes whole; device two misses this node, and knows the one before only.
sed 's/F9_session/F9_other/' "$SOURCE/schemas/forms/F9_session.md" >"$W/F9_other.md"
expect 0 "" b form add "$W/node" "$W/F9_other.md"
expect 0 '"verified":true' b sync "$W/one" --json
expect 0 "F9_other" b form list "$W/one"
expect 0 "" b backup "$W/node" -o "$W/backup2"
succeed --backup "$W/backup2" --new-key
start_node
told one "after the second time"
second=$came
expect 0 '"verified":true' b sync "$W/two" --json
expect 0 "F9_other" b form list "$W/two"
ok "a second successor: $second bytes"

# From the root's file alone the forms are added again, by the officer, in the order of then.
succeed --areas "$SOURCE/schemas/areas/demo_province.csv"
for form in $forms; do
	expect 0 "" b form add "$W/node" "$SOURCE/schemas/forms/$form.md"
done
expect 0 "" b form add "$W/node" "$W/F9_other.md"
start_node
expect 75 "approve" b sync "$W/one"
expect 0 "" b devices "$W/node" --approve one
told one "after all was lost" 6000
pass "devices keep their forms: $first, $second and $came bytes"
