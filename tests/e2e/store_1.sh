# store_1.sh BANYAN SOURCE SAYS: an older store opens. tests/vectors/store_1_* are backups of a node's and a handset's store as the first
# version wrote them; they must restore, say all that store_1_list.txt says, check clean, be rebuilt to the same, and go on. Stores of
# format 1 are carried over when there is a row to write that the earlier program would not find, and not before.
# BANYAN_NEW_VECTORS=1 writes them if they are not there, and never changes them.
. "$2/tests/e2e/lib.sh"
SAYS=$1
V=$SOURCE/tests/vectors

# say STORE...: what is compared, without what time and machine change.
say() {
	echo "== list"
	b list "$1" G1 --json | sort
	for record in $(b list "$1" G1 --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort); do
		echo "== show $record"
		b show "$1" "$record" --json
	done
	echo "== forms"
	b form list "$1" --json
}
say_all() {
	echo "= the node"
	say "$W/node"
	echo "== conflicts"
	b conflicts "$W/node" --json
	echo "== devices"
	b devices "$W/node" --json | sed 's/"overdue":[a-z]*/"overdue":_/' | LC_ALL=C sort
	echo "== status"
	b status "$W/node" --json | grep -o '"records":[0-9]*\|"parcels":[0-9]*\|"records_waiting":[0-9]*'
	echo "= the handset"
	say "$W/one"
	echo "== status"
	b status "$W/one" --json | grep -o '"records":[0-9]*\|"parcels":[0-9]*\|"records_waiting":[0-9]*'
	b fill "$W/one" G1 --drafts | grep -o 'draft [0-9]*'
}

make_new() {
	head -c 32 /dev/urandom >"$W/key"
	printf '%s\n' code,parent,level,name,name:km P,,province,Serei,សេរី D,P,district,Down, V,D,village,Lvea, >"$W/areas.csv"
	printf '%s\n' '| survey | | | | | |' '| | type | name | label | relevant | bind::banyan:class |' \
		'| | text | name | Who | | D |' '| | select_one kind | kind | What | | S |' \
		'| | integer | hours | Hours | ${kind} = "a" | S |' '| | begin_repeat | seen | Seen | | |' \
		'| | date | day | Day | | S |' '| | end_repeat | | | | |' '| choices | | | |' '| | list_name | name | label |' \
		'| | kind | a | Talk |' '| | kind | b | Visit |' '| settings | | | |' '| | form_id | version | form_title |' \
		'| | G1 | 1 | Golden |' >"$W/G1.md"
	expect 0 "" b init "$W/node" --programme "Golden" --areas "$W/areas.csv" --area P
	expect 0 "" b form add "$W/node" "$W/G1.md"
	start_node
	device one V
	for n in 1 2 3 4; do
		echo "{\"code\":\"k$n\",\"name\":\"Mona $n\",\"kind\":\"a\",\"hours\":$n,\"seen\":[{\"day\":\"2025-01-0$n\"}]}"
	done >"$W/keyed"
	expect 0 '"accepted":4' b submit "$W/one" G1 --answers "$W/keyed" --key code --json
	expect 0 "agree" b sync "$W/one"
	set -- $(b list "$W/node" G1 --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort)
	expect 0 "" b review "$W/node" "$1" --state has_issues --note "which school?"
	expect 0 "" b void "$W/node" "$2" --reason "entered twice"
	expect 0 "next sync" b amend "$W/one" "$3" --set hours=5
	expect 0 "corrected" b amend "$W/node" "$3" --set hours=6
	expect 0 "agree" b sync "$W/one"
	sed 's/k4/k5/' "$W/keyed" | tail -n 1 >"$W/fifth"
	expect 0 "" b submit "$W/one" G1 --answers "$W/fifth" --key code --json
	printf 'Dara\nsave\n' | b fill "$W/one" G1 >/dev/null
	expect 0 "" b invite "$W/node" --role member --area V --name later --address 127.0.0.1:7447 --days 365
	expect 0 "" b export "$W/node" G1 -o "$W/exported"
	stop_node
	rm -rf "$W/exported"
	expect 0 "" b backup "$W/node" -o "$W/node.backup"
	expect 0 "" b backup "$W/one" -o "$W/one.backup"
	say_all >"$V/store_1_list.txt"
	base64 "$W/node.backup" >"$V/store_1_node.b64"
	base64 "$W/one.backup" >"$V/store_1_handset.b64"
	base64 "$W/key" >"$V/store_1_key.b64"
	rm -rf "$W/node" "$W/one"
}

[ -f "$V/store_1_list.txt" ] || [ -z "${BANYAN_NEW_VECTORS:-}" ] || make_new
base64 -d "$V/store_1_key.b64" >"$W/key"
base64 -d "$V/store_1_node.b64" >"$W/node.backup"
base64 -d "$V/store_1_handset.b64" >"$W/one.backup"
expect 0 "" b restore "$W/node.backup" "$W/node"
expect 0 "" b restore "$W/one.backup" "$W/one"
same() {
	say_all >"$W/said" 2>"$W/err"
	"$SAYS" "$V/store_1_list.txt" "$W/said" >"$W/out" || fail "$1"
}
# older STORE: the number that it had. has_format N STORE: in its file, or in a page that was in use since then.
older() { LC_ALL=C sed -i 's/\(banyan\)\x00\x00\x00\x03/\1\x00\x00\x00\x01/g' "$W/$1/data.mdb"; }
has_format() { LC_ALL=C sed -n "/banyan\\x00\\x00\\x00\\x0$1/=" "$W/$2/data.mdb" | grep -q .; }
older node
older one
has_format 1 node && has_format 1 one || fail "no format in the file"
expect 0 "" b backup "$W/node" -o "$W/before.backup"
expect 64 "" b list "$W/node" --nonsense
head -c 32 /dev/urandom >"$W/other_key"
expect 77 "" "$B" list "$W/node" G1 --key-file "$W/other_key"
has_format 3 node && fail "a backup, or a command that failed, carried an older store over"
ok "a backup first: the older store is what it was"
same "the stores say something else than they did"
has_format 3 node || fail "the node's records lie where an older program does not look, and its store has not told"
has_format 3 one && fail "a handset's store was carried over without need"
ok "an older node's and an older handset's store open and say what they said"

expect 0 "" b check "$W/node"
expect 0 "" b check "$W/one"
expect 0 "" b audit "$W/node" verify
expect 0 "" b check "$W/node" --rebuild
same "rebuilt, the stores say something else"
ok "they check clean, and what was derived is derived again"

# They go on: a key that was used is known, a change finds its record, a newcomer is let in.
records=$(b list "$W/one" G1 --json | wc -l)
echo '{"code":"k1","name":"Mona","kind":"b"}' >"$W/keyed"
expect 0 "" b submit "$W/one" G1 --answers "$W/keyed" --key code --json
[ "$(b list "$W/one" G1 --json | wc -l)" -eq "$records" ] || fail "a key that was used before made a new record"
record=$(b list "$W/one" G1 --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 "next sync" b amend "$W/one" "$record" --set hours=7
start_node
device new V
expect 0 "" b submit "$W/new" G1 --answers "$W/keyed" --key code
expect 0 "agree" b sync "$W/new"
has_format 3 one && fail "a handset's store was carried over without need"
stop_node
expect 0 "" b restore "$W/before.backup" "$W/back"
expect 0 '"id":' b list "$W/back" G1 --json
expect 0 "" b check "$W/node"
pass "an older store opens, and goes on"
