# officer_leaves.sh BANYAN SOURCE: an officer who works at the node's store, and one with a store of their own, are revoked.
# Neither opens or asks anything afterwards; the office's key changes, and work goes on for who stays.
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

expect 0 "shut out" b revoke "$W/node" Sokha --reason "left in May" --as officer
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
sort "$W/sent" >"$W/all"
b list "$W/node" F9_session --json --as officer | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort >"$W/at"
cmp -s "$W/all" "$W/at" || fail "the office holds $(wc -l <"$W/at") of $(wc -l <"$W/all") records"
pass "who left opens and asks nothing; the office has another key and goes on"
