# badday_store.sh BANYAN SOURCE: a store on a bad day: the wrong key, a second serve, a newer version, a full disk.
. "$2/tests/e2e/lib.sh"

make_node F9_session
start_node
device one SM09010101

# The wrong key file; a wrong passphrase (this one costs Argon2).
head -c 32 /dev/urandom >"$W/wrong"
expect 77 "does not open this store" "$B" list "$W/one" F9_session --key-file "$W/wrong"
expect 77 "does not open this store" "$B" list "$W/node" F9_session --key-file "$W/wrong"
echo "a long enough passphrase" >"$W/pw"
echo "another long passphrase" >"$W/pw2"
expect 0 "" "$B" join "$W/two" "$(invite two SM09010102)" --passphrase-file "$W/pw"
expect 77 "does not open this store" "$B" sync "$W/two" --passphrase-file "$W/pw2"
expect 0 "agree" "$B" sync "$W/two" --passphrase-file "$W/pw"
expect 64 "the store is locked" "$B" sync "$W/two"
cp "$W/key" "$W/one/key"
expect 64 "inside the store" "$B" sync "$W/one" --key-file "$W/one/key"
rm "$W/one/key"
ok "a wrong passphrase, a wrong key file, none, one inside the store"

expect 75 "another banyan works on" b serve "$W/node" --listen "$HOST:0"
expect 0 "agree" b sync "$W/one"
ok "a second serve on a store"

expect 66 "no store in" b sync "$W/nowhere"
expect 73 "already" b init "$W/node" --programme "Again" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
ok "no store, and a store already"

# A small disk under a device: what was told as accepted is there, the rest can be done again elsewhere.
if [ "$(id -u)" -eq 0 ] && mkdir "$W/disk" && mount -t tmpfs -o size=3m tmpfs "$W/disk" 2>/dev/null; then
	MOUNTED=$W/disk
	expect 0 "" b join "$W/disk/three" "$(invite three SM09010103)"
	: >"$W/told"
	tries=0 status=0
	free=$(df -k --output=avail "$W/disk" | tail -n 1)
	fallocate -l $((free - 64))k "$W/disk/ballast" || fail "no ballast"
	while [ $status -eq 0 ] && [ $tries -lt 60 ]; do
		tries=$((tries + 1))
		sessions 200 >"$W/answers"
		b submit "$W/disk/three" F9_session --answers "$W/answers" --json >"$W/out" 2>"$W/err"
		status=$?
		sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p' "$W/out" >>"$W/told"
	done
	[ $status -eq 75 ] && grep -q "disk is full" "$W/out" "$W/err" || fail "exit status $status on a full disk"
	rm -f "$W/disk/ballast"
	ids "$W/disk/three" >"$W/listed"
	sort "$W/told" | comm -23 - "$W/listed" >"$W/lost"
	[ ! -s "$W/lost" ] || fail "told and lost on a full disk"
	until_true 20 b sync "$W/disk/three" || true
	expect 0 "agree" b sync "$W/disk/three"
	ids "$W/node" >"$W/at_node"
	cmp -s "$W/listed" "$W/at_node" || fail "$(wc -l <"$W/listed") records on the device, $(wc -l <"$W/at_node") came"
	ok "a full disk under a device: $(wc -l <"$W/told") records, none lost"
	umount "$W/disk" && MOUNTED=

	# The same under the node: the device keeps its copy and is told so.
	stop_node
	mount -t tmpfs -o size=6m tmpfs "$W/disk" && MOUNTED=$W/disk
	ADDRESS=$HOST:0
	expect 0 "" b init "$W/disk/node" --programme "Small" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
	expect 0 "" b form add "$W/disk/node" "$SOURCE/schemas/forms/F9_session.md"
	start_node "$W/disk/node"
	small=$(b invite "$W/disk/node" --role member --area SM09010101 --name small --address "$ADDRESS")
	expect 0 "" b join "$W/small" "$small"
	free=$(df -k --output=avail "$W/disk" | tail -n 1)
	fallocate -l $((free - 16))k "$W/disk/ballast" || fail "no ballast"
	# A commit may still fit into pages that were freed before: go on until one does not.
	sent=0 status=0
	while [ $status -eq 0 ] && [ $sent -lt 8000 ]; do
		sessions 400 >"$W/answers"
		expect 0 "400 accepted" b submit "$W/small" F9_session --answers "$W/answers"
		sent=$((sent + 400))
		b sync "$W/small" >"$W/out" 2>"$W/err"
		status=$?
	done
	[ $status -eq 75 ] && grep -q "disk is full" "$W/out" "$W/err" ||
		fail "exit status $status, $sent records sent to a full disk: $(cat "$W/err")"
	rm "$W/disk/ballast"
	expect 0 "agree" b sync "$W/small"
	[ "$(b list "$W/disk/node" F9_session --json | grep -c '"id"')" -eq $sent ] || fail "$sent records should be at the node"
	stop_node
	umount "$W/disk" && MOUNTED=
	ok "a full disk under the node: the device kept its copy"
else
	echo "skipped: a full disk (needs root and a mount)"
fi
pass "stores on bad days"
