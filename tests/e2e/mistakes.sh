# mistakes.sh BANYAN SOURCE CLOCK: what people do wrong with commands, and what is said to them: streams that are closed or full, places
# that are not there, addresses without a port, standings that are not what they were. Nothing aborts, nothing lies, nothing is half done.
. "$2/tests/e2e/lib.sh"
clock=$1
areas=$SOURCE/schemas/areas/demo_province.csv

make_node F9_session
start_node
device one SM09010101
submit one 1 >/dev/null
expect 0 "" b sync "$W/one"

# A stream that is closed is one that fails: nothing of what is said gets into a file that was opened in its place.
for served in yes no; do
	for command in "status $W/node" "list $W/node F9_session --json" "status $W/one --json" "check $W/one"; do
		# shellcheck disable=SC2086
		b $command >&- 2>"$W/err" </dev/null
		got=$?
		[ "$got" -eq 74 ] || fail "exit status $got with the output closed: $command"
		b $command >&- 2>&- <&-
		got=$?
		[ "$got" -eq 74 ] || fail "exit status $got with all streams closed: $command"
	done
	[ "$served" = no ] || stop_node
done
expect 0 "" b check "$W/node"
expect 0 "" b check "$W/one"
start_node
ok "closed streams"

# What only tells may be asked again, and says nothing of work that is done; an invitation that nobody saw is none.
b list "$W/node" F9_session >/dev/full 2>"$W/err"
[ $? -eq 74 ] && ! grep -q "do not do it again" "$W/err" || fail "list to a full disk: $(cat "$W/err")"
b invite "$W/node" --role member --area SM09010101 --name two --address "$ADDRESS" >/dev/full 2>"$W/err"
[ $? -eq 74 ] && ! grep -q "do not do it again" "$W/err" || fail "invite to a full disk: $(cat "$W/err")"
for page in --version --help "sync --help"; do
	# shellcheck disable=SC2086
	"$B" $page >/dev/full 2>"$W/err"
	[ $? -eq 74 ] || fail "$page to a full disk is well"
done
b submit "$W/one" F9_session --answers - <&- 2>"$W/err"
[ $? -eq 74 ] && grep -q "the standard input" "$W/err" || fail "a closed input is not named: $(cat "$W/err")"
ok "outputs that fail"

# What can be seen here to be wrong is not found out far away.
expect 64 "no-port.* is not HOST:PORT" b invite "$W/node" --role member --area SM09010101 --name two --address no-port
expect 64 "port 0" b invite "$W/node" --role member --area SM09010101 --name two --address 127.0.0.1:0
expect 64 "days is a number from 1 to 365, not .-5" b invite "$W/node" --role member --area SM09010101 --name two \
	--address "$ADDRESS" --days -5
expect 64 "bytes-max is a number of bytes, at least 1, not .-5" b sync "$W/one" --bytes-max -5
expect 64 "name is a few words" b invite "$W/node" --role member --area SM09010101 --name "" --address "$ADDRESS"
expect 64 "name is a few words" b invite "$W/node" --role member --area SM09010101 --address "$ADDRESS" \
	--name "$(head -c 200 /dev/zero | tr '\0' x)"
expect 0 '^\{"invitation":"banyan1:[^"]*","role":"member"' b invite "$W/node" --role member --area SM09010101 --name two \
	--address "$ADDRESS" --json
expect 0 "" b join "$W/two" "$(sed -n 's/.*"invitation":"\([^"]*\)".*/\1/p' "$W/out")"
expect 64 "programme.*is no name" b init "$W/none" --programme "" --areas "$areas" --area SM09
[ ! -e "$W/none" ] || fail "a programme without a name"
ok "invitations"

# Places.
echo text >"$W/file"
expect 73 "file already exists" b init "$W/file" --programme P --areas "$areas" --area SM09
expect 73 "already a store in" b init "$W/node" --programme P --areas "$areas" --area SM09
expect 73 "no folder $W/nowhere;" b init "$W/nowhere/node" --programme P --areas "$areas" --area SM09
expect 73 "no folder $W/nowhere;" b backup "$W/node" -o "$W/nowhere/backup"
expect 73 "no folder $W/nowhere;" b pack "$W/one" -o "$W/nowhere/stick"
expect 73 "no folder $W/nowhere;" b export "$W/node" F9_session -o "$W/nowhere/rows"
expect 0 "" b backup "$W/node" -o "$W/backup"
expect 73 "already exists" b backup "$W/node" -o "$W/backup"
[ "$(b audit "$W/node" | grep -c ": backup")" -eq 1 ] || fail "backups that were none stand in the audit log"
expect 73 "already a store in" b restore "$W/backup" "$W/node"
expect 65 "not a whole bundle.*$W/file" b unpack "$W/node" "$W/file"
ok "places"

# Who is shut out sees it in the device's standing, not only in the moment of a sync; who is let in is told how to hear of it.
expect 0 "" b join "$W/officer" "$(invite Sokha SM09 officer)"
expect 0 "banyan sync" b status "$W/officer"
expect 0 "" b revoke "$W/node" two --reason lost
expect 77 "shut out" b sync "$W/two"
expect 0 "last sync did not end well" b status "$W/two"
# A battery was out: the clock is back in 1970, and no form takes a month of this year.
expect 0 "clock says a time before its last sync" env LD_PRELOAD="$clock" BANYAN_TEST_CLOCK=0 ASAN_OPTIONS=verify_asan_link_order=0 \
	"$B" status "$W/one" --key-file "$W/key"
ok "standings"

# The examples of the help that name files of this repository work as they stand, from its folder.
(cd "$SOURCE" && "$B" form check --help | sed -n '/^Examples/,/^Exit/s/^  banyan //p' | while read -r line; do eval "\"$B\" $line" || exit 1; done) >"$W/out" 2>&1 ||
	fail "an example of form check does not work: $(tail -n 1 "$W/out")"
(cd "$SOURCE" && eval "set -- $("$B" form add --help | sed -n 's|^  banyan form add ~/district ||p' | tail -n 1)" &&
	"$B" form add "$W/node" "$@" --key-file "$W/key") >"$W/out" 2>&1 || fail "the example of form add does not work: $(tail -n 1 "$W/out")"
ok "examples"

# Whose passphrase it was that does not fit, and where from; which one is missing.
echo "not the one that it is" >"$W/wrong"
BANYAN_PASSPHRASE_FILE=$W/wrong "$B" status "$W/one" >"$W/out" 2>"$W/err"
[ $? -eq 77 ] && grep -q "BANYAN_PASSPHRASE_FILE, which is $W/wrong" "$W/err" || fail "does not name it: $(cat "$W/err")"
expect 77 "as \"Nobody\"" "$B" devices "$W/node" --as Nobody --passphrase-file "$W/wrong"
expect 77 "a device has none" "$B" passphrase "$W/one" --recover "$W/node.root" --new-passphrase-file "$W/wrong"
node=$(sed -n 's/^node //p' "$W/node.root")
export BANYAN_PASSPHRASE_FILE="$W/wrong"
expect 64 "new passphrase is needed" "$B" replace "$W/again" "$node" --root "$W/node.root" --backup "$W/backup"
expect 66 "no node \"12345678\"" "$B" replace "$W/again" 12345678 --root "$W/node.root" --backup "$W/backup" \
	--new-passphrase-file "$W/wrong"
unset BANYAN_PASSPHRASE_FILE
ok "secrets"

# A node's warnings are sentences, and a command on its own computer is nobody who came in.
grep -q "^banyan serve: a caller ([0-9a-f]*) was refused: this device was shut out by its office (E_REVOKED)" "$W/serve.err" ||
	fail "a refusal is no sentence: $(cat "$W/serve.err")"
stop_node
: >"$W/serve.out"
"$B" serve "$W/node" --listen "$ADDRESS" --key-file "$W/key" --log json >"$W/serve.out" 2>"$W/serve.err" &
NODE_PID=$!
until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the node does not come up"
expect 0 "" b status "$W/node"
until_true 20 grep -q '"event":"asked"' "$W/serve.err" || fail "a command is not told of: $(cat "$W/serve.err")"
grep -q '"peer":"00000000"' "$W/serve.err" && fail "a command came in as nobody"
ok "a node's log"

# What was erased is not unknown: whoever asks for it again is told.
id=$(b list "$W/node" F9_session --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
short=$(printf '%.8s' "$id")
expect 0 "" b erase "$W/node" "$short" --reason "they asked"
for command in "erase $W/node $short --reason again" "amend $W/node $short --set hours=1" "review $W/node $id --state approved"; do
	# shellcheck disable=SC2086
	expect 66 "$id was erased" b $command
done
expect 66 "no record 12345678" b review "$W/node" 12345678 --state approved
ok "an erased record"

# fill speaks to people; its drafts are told to programs.
printf '%s\n' awareness referral save | b fill "$W/one" F9_session >"$W/out" 2>&1 || fail "no draft: $(cat "$W/out")"
expect 0 '^\{"draft":1,"saved":"20[0-9T:-]*Z","answers":[0-9]*,"area":"SM09010101"\}$' b fill "$W/one" F9_session --drafts --json
expect 64 "a program takes submit" b fill "$W/one" F9_session --json
expect 0 "log of the office" b audit "$W/one"
ok "drafts"

stop_node
pass "what people do wrong is told as it is"
