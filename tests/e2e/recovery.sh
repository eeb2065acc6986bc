# recovery.sh BANYAN SOURCE: all passphrases are forgotten; what is left is STORE.root, as the README told the officer to
# keep it, and a backup. The store opens again with a new passphrase, also while it serves, and so does the backup.
. "$2/tests/e2e/lib.sh"

printf 'one that is forgotten\n' >"$W/old"
printf 'a quite new passphrase\n' >"$W/new"
printf 'another new passphrase\n' >"$W/newer"
expect 0 "" "$B" init "$W/node" --programme "End to end" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09 \
	--passphrase-file "$W/old"
mkdir "$W/safe"
mv "$W/node.root" "$W/safe/"
expect 0 "" "$B" form add "$W/node" "$SOURCE/schemas/forms/F9_session.md" --passphrase-file "$W/old"
expect 0 "" "$B" backup "$W/node" -o "$W/safe/backup" --passphrase-file "$W/old"

expect 0 "new passphrase for \"officer\"" "$B" passphrase "$W/node" --recover "$W/safe/node.root" --new-passphrase-file "$W/new"
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/old"
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/new"
expect 0 "recovered" "$B" audit "$W/node" --passphrase-file "$W/new"
ok "the store opens with a new passphrase, the forgotten one is out"

"$B" serve "$W/node" --listen "$HOST:0" --passphrase-file "$W/new" >"$W/serve.out" 2>"$W/serve.err" &
NODE_PID=$!
until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the node does not come up"
expect 0 "new passphrase" "$B" passphrase "$W/node" --recover "$W/safe/node.root" --new-passphrase-file "$W/newer"
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/new"
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/newer"
stop_node
ok "the same while it serves"

rm -r "$W/node"
expect 77 "" "$B" restore "$W/safe/backup" "$W/node" --passphrase-file "$W/newer"
expect 0 "again" "$B" restore "$W/safe/backup" "$W/node" --recover "$W/safe/node.root" --new-passphrase-file "$W/new"
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/new"
expect 77 "" "$B" form list "$W/node" --passphrase-file "$W/old"
ok "a backup opens with the recovery key"

sed 's/^recovery .*/recovery 0101/' "$W/safe/node.root" >"$W/bad.root"
expect 65 "compare it with the other copy" "$B" passphrase "$W/node" --recover "$W/bad.root" --new-passphrase-file "$W/new"
expect 0 "" "$B" init "$W/other" --programme "Another" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09 \
	--passphrase-file "$W/old"
expect 77 "" "$B" passphrase "$W/node" --recover "$W/other.root" --new-passphrase-file "$W/newer"
expect 0 "F9_session" "$B" form list "$W/node" --passphrase-file "$W/new"
pass "recovered from nothing but the kept file; another programme's file opens nothing"
