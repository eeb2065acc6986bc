# officer_leaves.sh BANYAN SOURCE: an officer who works at the node's store, and one with a store of their own, are revoked.
# Neither opens or asks anything afterwards; the office's key changes, and work goes on for who stays. Who left had a copy of the
# store's key slots, and so of its key: the store's key is renewed, also by programs that are killed in the middle, and the copy opens nothing.
. "$2/tests/e2e/lib.sh"

make_node F9_session
printf 'the passphrase of Sokha\n' >"$W/sokha"
expect 0 "works at this store" b passphrase "$W/node" --add-officer Sokha --new-passphrase-file "$W/sokha"
start_node
device one SM09010101
submit one 1 >"$W/sent"
expect 0 "agree" b sync "$W/one"
expect 0 "" b join "$W/desk" "$(invite desk SM09 officer)"
expect 0 "let in" b devices "$W/node" --approve desk --as officer
expect 0 "F9_session" b form list "$W/desk"
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/sokha"

cp "$W/node/keys" "$W/copied" # what an officer can do
expect 0 "rotate STORE --store-key" b revoke "$W/node" Sokha --reason "left in May" --as officer
expect 0 "shut out" b revoke "$W/node" desk --reason "left in May" --as officer
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/sokha"
expect 77 "" b form list "$W/desk"
stop_node
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/sokha"
expect 77 "" "$B" passphrase "$W/node" --passphrase-file "$W/sokha" --new-passphrase-file "$W/sokha"
start_node
expect 0 "key 2" b rotate "$W/node" --root "$W/node.root" --as officer
submit one 1 >>"$W/sent"
expect 0 "agree" b sync "$W/one"
submit one 1 >>"$W/sent"
expect 0 "agree" b sync "$W/one"
# all_here WHAT
all_here() {
	sort "$W/sent" >"$W/all"
	b list "$W/node" F9_session --json --as officer | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at"
	cmp -s "$W/all" "$W/at" || fail "$1: the office holds $(wc -l <"$W/at") of $(wc -l <"$W/all") records"
}
all_here "with another key of the office"
ok "who left opens and asks nothing; the office has another key and goes on"

expect 64 "root FILE" b rotate "$W/node" --store-key --as officer
printf 'the passphrase of Dara\n' >"$W/dara"
printf 'the passphrase of Mealea\n' >"$W/mealea"
for name in Dara Mealea; do
	expect 0 "works at this store" b passphrase "$W/node" --add-officer $name --new-passphrase-file "$W/$(echo $name | tr DM dm)" --as officer
done
expect 77 "" b rotate "$W/node" --store-key --root "$W/node.root" --also-passphrase-file "$W/sokha" --as officer
expect 0 "passphrase of .Mealea. no longer opens" b rotate "$W/node" --store-key --root "$W/node.root" \
	--also-passphrase-file "$W/dara" --as officer
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/dara"
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/mealea"
submit one 1 >>"$W/sent"
expect 0 "agree" b sync "$W/one" # the same node to a device: its logs go on
grep -q "new life" "$W/out" && fail "the node began another life"
all_here "served through it"
stop_node
expect 0 "all is as it should be" b check "$W/node" --as officer
all_here "after it"
expect 0 "new passphrase" "$B" passphrase "$W/node" --recover "$W/node.root" --new-passphrase-file "$W/mealea" --as Dara
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/mealea" --as Dara
printf 'another passphrase of Mealea\n' >"$W/mealea"
expect 0 "works at this store" b passphrase "$W/node" --add-officer Mealea --new-passphrase-file "$W/mealea" --as officer
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/mealea"

# The copied slots beside the renewed file: the key that they give opens nothing.
cp -r "$W/node" "$W/thief"
cp "$W/copied" "$W/thief/keys"
expect 74 "damaged" "$B" list "$W/thief" F9_session --passphrase-file "$W/sokha" --as Sokha
ok "the store's key is another one, and what was copied opens nothing"

for i in 1 2 3 4 5 6; do
	"$B" rotate "$W/node" --store-key --root "$W/node.root" --as officer --key-file "$W/key" >/dev/null 2>&1 &
	pid=$!
	sleep 0.0$(number 10)
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	all_here "killed while the store's key was renewed"
done
[ ! -e "$W/node/data.new" ] || fail "a file stays behind"
expect 0 "" b backup "$W/node" -o "$W/backup" --as officer
mv "$W/node" "$W/old"
expect 0 "" b restore "$W/backup" "$W/node"
all_here "restored"
start_node
submit one 1 >>"$W/sent"
expect 0 "agree" b sync "$W/one"
all_here "restored and served"
pass "killed in the middle, backed up and restored"
