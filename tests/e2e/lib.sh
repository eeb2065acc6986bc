# lib.sh: what the end-to-end tests share. Sourced as:  . "$2/tests/e2e/lib.sh"  by  sh TEST BANYAN SOURCE [ARGS...]
# A test works in $W, which goes with it; it ends with `pass`, `fail SENTENCE` or `skip SENTENCE` (exit 77). Stores
# are opened by the key file $W/key, which costs no Argon2. Nothing sleeps longer than a poll's tick.
set -u
B=$1
SOURCE=$2
shift 2
W=$(mktemp -d "${TMPDIR:-/tmp}/banyan-e2e-XXXXXX") || exit 1
NODE_PID=
PIDS= # of other children, for the end
# A loopback address of this test's own (there are 127.0.0.0/8 of them): the port of a node that is down for a moment stays free until it
# is up again, whatever other tests listen on meanwhile.
HOST=127.$((64 + $$ / 65536 % 64)).$(($$ / 256 % 256)).$(($$ % 256))
ADDRESS=$HOST:0
unset BANYAN_PASSPHRASE_FILE NOTIFY_SOCKET

clean_up() {
	trap - EXIT INT TERM
	for pid in $NODE_PID $PIDS; do
		kill -9 "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	[ -n "${MOUNTED:-}" ] && umount "$MOUNTED"
	[ -n "${BANYAN_TEST_KEEP:-}" ] || rm -rf --one-file-system "$W"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAIL: $*" >&2
	for file in out err serve.err; do
		[ -s "$W/$file" ] && { echo "--- $file"; tail -n 20 "$W/$file"; } >&2
	done
	exit 1
}
skip() { echo "skipped: $*"; exit 77; }
pass() { echo "ok: $*"; exit 0; }
ok() { echo "ok   $*"; }

# b COMMAND STORE...: the program, with the test's key.
b() { "$B" "$@" --key-file "$W/key"; }

# expect STATUS WORD COMMAND...: run it; its status must be STATUS and its output (both) hold the pattern WORD, "" any.
expect() {
	want=$1 word=$2
	shift 2
	"$@" >"$W/out" 2>"$W/err" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || fail "exit status $got instead of $want: $*"
	[ -z "$word" ] || grep -qE "$word" "$W/out" "$W/err" || fail "does not say \"$word\": $*"
}

# until_true SECONDS COMMAND...: poll.
until_true() {
	ticks=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		ticks=$((ticks - 1))
		[ "$ticks" -gt 0 ] || return 1
		sleep 0.05
	done
}

# field NAME: a number in the last JSON that a command printed.
field() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$W/out" | tail -1; }

# number N: at random, below N.
number() { od -An -N4 -tu4 /dev/urandom | awk -v n="$1" '{ print $1 % n }'; }

# make_node FORM...: a programme for the whole demonstration province with these forms.
make_node() {
	head -c 32 /dev/urandom >"$W/key"
	expect 0 "" b init "$W/node" --programme "End to end" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
	for form in "$@"; do
		expect 0 "" b form add "$W/node" "$SOURCE/schemas/forms/$form.md"
	done
}

# start_node [STORE]: serve; the address of the first start is kept. `SHIM`, if set, is put before the program,
# SERVE_OPTIONS behind.
start_node() {
	: >"$W/serve.out"
	${SHIM:+env} ${SHIM:-} "$B" serve "${1:-$W/node}" --listen "$ADDRESS" --key-file "$W/key" ${SERVE_OPTIONS:-} \
		>"$W/serve.out" 2>>"$W/serve.err" &
	NODE_PID=$!
	until_true 60 grep -q '^listening on ' "$W/serve.out" || fail "the node does not come up"
	ADDRESS=$(sed -n 's/^listening on //p' "$W/serve.out")
}
stop_node() {
	kill "$NODE_PID"
	wait "$NODE_PID" || fail "the node did not end cleanly: $?"
	NODE_PID=
}
kill_node() {
	kill -9 "$NODE_PID" 2>/dev/null
	wait "$NODE_PID" 2>/dev/null
	NODE_PID=
}

# invite NAME AREA [ROLE] [OPTIONS...]: prints the line.
invite() {
	name=$1 area=$2 role=${3:-member}
	[ $# -lt 3 ] || shift
	shift 2
	b invite "$W/node" --role "$role" --area "$area" --name "$name" --address "$ADDRESS" "$@"
}
# device NAME AREA: a member's store in $W/NAME.
device() {
	expect 0 "" b join "$W/$1" "$(invite "$1" "$2")"
}

# sessions N: N lines of answers to F9_session.
sessions() {
	awk -v n="$1" -v seed="$(number 1000000)" 'BEGIN { srand(seed); for (i = 0; i < n; i++)
		printf "{\"kind\":\"awareness\",\"topic\":[\"referral\"],\"audience\":[\"parents\"],\"date\":\"2025-%02d-11\"," \
		"\"hours\":%d,\"people/people_f\":%d,\"people/people_m\":%d,\"people/people_child_f\":0," \
		"\"people/people_child_m\":0,\"people/first_time_n\":1,\"facilitator_org\":\"district\"," \
		"\"materials\":[{\"kind_of\":\"leaflet\",\"language\":\"km\",\"n\":%d}]}\n",
		1 + rand() * 12, 1 + rand() * 8, 1 + rand() * 60, rand() * 60, rand() * 99 }'
}
# submit NAME N: N sessions; the ids are printed.
submit() {
	sessions "$2" >"$W/$1.answers"
	b submit "$W/$1" F9_session --answers "$W/$1.answers" --json | sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p'
}
# ids STORE [STATE]: the records that `list` tells, sorted; only those in this state.
ids() {
	b list "$1" F9_session --json >"$W/ids.$$" || fail "list $1"
	grep "\"state\":\"${2:-}" "$W/ids.$$" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' | sort
}

# bend FILE N: its byte N (from 0) is another one, whichever it was.
bend() {
	other=$(($(od -An -v -tu1 -j "$2" -N 1 "$1") ^ 255))
	printf "\\$(printf %o $other)" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# Trees of nodes, each in $W/NAME. up NAME: serve it, at one address for ever, kept in $W/NAME.address. down NAME.
up() {
	ADDRESS=$(cat "$W/$1.address" 2>/dev/null || echo "$HOST:0")
	start_node "$W/$1"
	echo "$ADDRESS" >"$W/$1.address"
	echo "$NODE_PID" >"$W/$1.pid"
	PIDS="$PIDS $NODE_PID"
	NODE_PID=
}
down() {
	kill "$(cat "$W/$1.pid")"
	wait "$(cat "$W/$1.pid")" || fail "$1 did not end cleanly"
}
# below NAME ABOVE ROLE AREA: join the node ABOVE.
below() {
	expect 0 "" b join "$W/$1" "$(b invite "$W/$2" --role "$3" --area "$4" --name "$1" --address "$(cat "$W/$2.address")")"
}
# province TITLE FORM_FILE...: the office that begins a programme, for the demonstration province, in $W/province, serving.
province() {
	head -c 32 /dev/urandom >"$W/key"
	expect 0 "" b init "$W/province" --programme "$1" --areas "$SOURCE/schemas/areas/demo_province.csv" --area SM09
	shift
	expect 0 "" b form add "$W/province" "$@"
	up province
}
# office NAME ABOVE AREA: an office below ABOVE, let in, in step, serving.
office() {
	below "$1" "$2" node "$3"
	expect 75 "not approved" b sync "$W/$1"
	expect 0 "let in" b devices "$W/$2" --approve "$1"
	expect 0 "agree" b sync "$W/$1"
	up "$1"
}
# count NAME FORM: how many records it lists. same WHAT IS WANTED.
count() { b list "$W/$1" "$2" --json | grep -c '"id"'; }
same() { [ "$2" = "$3" ] || fail "$1: $2 instead of $3"; }

# start_relay NAME OPTIONS...: the store $W/NAME is a relay; its address is in $RELAY. stop_relay.
start_relay() {
	: >"$W/relay.out"
	relay=$1
	shift
	"$B" relay "$W/$relay" --listen "$HOST:0" --key-file "$W/key" "$@" >"$W/relay.out" 2>>"$W/relay.err" &
	RELAY_PID=$!
	PIDS="$PIDS $RELAY_PID"
	until_true 30 grep -q '^listening on ' "$W/relay.out" || fail "the relay does not come up: $(cat "$W/relay.err")"
	RELAY=$(sed -n 's/^listening on //p' "$W/relay.out")
}
stop_relay() {
	kill "$RELAY_PID"
	wait "$RELAY_PID" || fail "the relay did not end cleanly: $(cat "$W/relay.err")"
}
# by_relay NAME FROM: what FROM has is handed to the relay NAME.
by_relay() {
	start_relay "$1" --every 0
	expect 0 "handed" b sync "$W/$2" --via "$RELAY"
	stop_relay
}

# mark: a text that stands nowhere else. marked_referrals: F4's sample with a marker, noted in $W/markers, for each name: $W/referrals.
mark() { echo "m$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)"; }
marked_referrals() {
	while read -r line; do
		while case $line in *'"Fictitious'*) true ;; *) false ;; esac; do
			m=$(mark)
			echo "$m" >>"$W/markers"
			line=$(printf '%s\n' "$line" | sed "s/\"Fictitious[^\"]*\"/\"$m\"/")
		done
		printf '%s\n' "$line"
	done <"$SOURCE/schemas/forms/samples/F4_referral.jsonl" >"$W/referrals"
}

# consent_form: A1, which allows attachments, in $W/A1.md.
consent_form() {
	printf '%s\n' '| survey | | | |' '| | type | name | label |' '| | text | who | Who |' '| | image | page | The signed page |' \
		'| settings | | | |' '| | form_id | version | form_title | banyan:attachments |' '| | A1 | 1 | Consent | yes |' >"$W/A1.md"
}
# submit_page NAME PAGE: a record of A1 with the file $W/PAGE.jpg; its id is printed. submit_random NAME PAGE BYTES: made first.
submit_page() {
	echo "{\"who\":\"Sokha\",\"page\":\"$2.jpg\"}" >"$W/$2.jsonl"
	b submit "$W/$1" A1 --answers "$W/$2.jsonl" --json | sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p'
}
submit_random() {
	head -c "$3" /dev/urandom >"$W/$2.jpg"
	submit_page "$1" "$2"
}
# same_page NAME PAGE: what NAME exports is the very file.
same_page() {
	rm -rf "$W/exported"
	expect 0 "" b export "$W/$1" A1 -o "$W/exported"
	cmp "$W/exported/"*"-$2.jpg" "$W/$2.jpg" || fail "$1 has another file than $2"
}
# attachments NAME: how many it holds, whole and as they should be.
attachments() { b check "$W/$1" 2>&1 | sed -n 's/^\([0-9]*\) attachments checked; 0.*/\1/p'; }
