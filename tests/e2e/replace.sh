# replace.sh BANYAN SOURCE: the office's computer is gone. From nothing but what the README told the officer to keep (a backup
# and STORE.root) comes a successor at the same address; no device is touched: each goes on by itself.
. "$2/tests/e2e/lib.sh"

printf 'a quite new passphrase\n' >"$W/new"
# replace STORE NODE...: a successor, then opened by the new passphrase through BANYAN_PASSPHRASE_FILE
n() { BANYAN_PASSPHRASE_FILE=$W/new "$B" "$@"; }
start_new() {
	: >"$W/serve.out"
	"$B" serve "$1" --listen "$ADDRESS" --passphrase-file "$W/new" >"$W/serve.out" 2>>"$W/serve.err" &
	NODE_PID=$!
	until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the successor does not come up"
}
new_ids() { n list "$1" F9_session --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort; }
holds_all() {
	sort "$W/sent" >"$W/all"
	new_ids "$1" >"$W/at"
	cmp -s "$W/all" "$W/at" || fail "$1 holds $(wc -l <"$W/at") of $(wc -l <"$W/all") records"
}
dead() {
	kill_node
	mv "$1" "$W/gone.$(basename "$1")"
}
node_of() { sed -n 's/^node //p' "$W/safe/node.root" | tail -1; }

make_node F9_session
mkdir "$W/safe"
mv "$W/node.root" "$W/safe/"
start_node
device one SM09010101
device two SM0902
submit one 2 >"$W/sent"
expect 0 "agree" b sync "$W/one"
expect 0 "" b backup "$W/node" -o "$W/safe/backup"
device late SM0903
submit two 2 >>"$W/sent"
expect 0 "agree" b sync "$W/two"
submit late 1 >>"$W/sent"
expect 0 "agree" b sync "$W/late"
dead "$W/node"

# 1. With the backup: the same node again. Devices need nothing; one that joined after the backup waits for an officer.
expect 64 "either --backup" n replace "$W/node" "$(node_of)" --root "$W/safe/node.root" --new-passphrase-file "$W/new"
expect 66 "no node" n replace "$W/node" 0123456789abcdef --root "$W/safe/node.root" --backup "$W/safe/backup" \
	--new-passphrase-file "$W/new"
rm -rf "$W/node"
expect 0 "noted in the root" n replace "$W/node" "$(node_of)" --root "$W/safe/node.root" --backup "$W/safe/backup" \
	--new-passphrase-file "$W/new"
expect 77 "" b status "$W/node"
start_new "$W/node"
for d in one two; do expect 0 "agree" b sync "$W/$d"; done
expect 75 "approve" b sync "$W/late"
expect 0 "late" n devices "$W/node"
expect 0 "" n devices "$W/node" --approve late
expect 0 "agree" b sync "$W/late"
holds_all "$W/node"
ok "with a backup: nobody was visited, nothing acknowledged is lost"

# 2. It was stolen: keys of its own. Each device finds another key, hears the root's word and goes on.
expect 0 "" n backup "$W/node" -o "$W/safe/backup2"
kill_node
expect 0 "" n replace "$W/second" "$(node_of)" --root "$W/safe/node.root" --backup "$W/safe/backup2" --new-key \
	--new-passphrase-file "$W/new"
start_new "$W/second"
submit one 1 >>"$W/sent"
for d in one late; do expect 0 "agree" b sync "$W/$d"; done
submit one 1 >>"$W/sent"
expect 0 "agree" b sync "$W/one"
expect 0 "key 2" n audit "$W/second"
expect 0 "shut out" n devices "$W/second"
holds_all "$W/second"
expect 0 "all is as it should be" n check "$W/second" --rebuild
kill_node
# the thief serves the stolen store at the same address: who met the successor does not go back
start_new "$W/node"
expect 76 "another key|not the one" b sync "$W/one"
kill_node
ok "stolen: devices took the successor's key by the root's word, and do not go back"

# 3. Nothing but the root's file. A device that missed the second one comes along too.
mv "$W/second" "$W/gone.second"
mv "$W/node" "$W/gone.stolen"
expect 0 "form add" n replace "$W/third" "$(node_of)" --root "$W/safe/node.root" \
	--areas "$SOURCE/schemas/areas/demo_province.csv" --new-passphrase-file "$W/new"
expect 0 "" n form add "$W/third" "$SOURCE/schemas/forms/F9_session.md"
start_new "$W/third"
submit two 1 >>"$W/sent"
for d in one two late; do
	expect 75 "approve" b sync "$W/$d"
	expect 0 "" n devices "$W/third" --approve "$d"
	expect 0 "agree" b sync "$W/$d"
done
expect 0 "all is as it should be" n check "$W/third"
new_ids "$W/third" >"$W/back"
two=$(wc -l <"$W/back")
[ "$two" -ge 1 ] || fail "nothing came back"
kill_node

# another node at this address, of nobody's succession: the devices say nothing to it
expect 0 "" b init "$W/other" --programme "Another" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
start_node "$W/other"
expect 76 "another key|not the one" b sync "$W/one"
expect 0 "" b devices "$W/other"
! grep -q one "$W/out" || fail "a device told a strange node who it is"
pass "replaced with a backup, after a theft, and from the root's file alone ($two of $(wc -l <"$W/sent") records were still on devices)"
