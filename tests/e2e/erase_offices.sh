# erase_offices.sh PLAIN SOURCE SEARCH: a record is erased at its home office. It goes from the province above, from a second node of the
# office, from the device that wrote it and from who only carried it: a relay, and a stick that comes late brings nothing back. Older
# backups of the office and of the province come back without it. A record of a batch that was sealed under an older key of the office goes
# too, and its neighbours stay. PLAIN does not seal, so that the search of raw files can tell. Each record has two markers: dN
# identifies and stays at its office; aN does not, and goes up.
. "$2/tests/e2e/lib.sh"
search=$1
gone() { "$search" "$@" >"$W/out" 2>&1; [ $? -eq 2 ]; }
there() { "$search" "$@" >"$W/out" 2>&1; }
# enter DEVICE N...: records with markers, finished together.
enter() {
	device=$1
	shift
	: >"$W/lines"
	for n in "$@"; do
		mark >"$W/d$n"
		mark >"$W/a$n"
		echo "{\"who\":\"$(cat "$W/d$n")\",\"what\":\"$(cat "$W/a$n")\"}" >>"$W/lines"
	done
	expect 0 "" b submit "$W/$device" S1 --answers "$W/lines"
}
id_of() { b list "$W/home" S1 --json | grep "$(cat "$W/a$1")" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p'; }
raw_has() { od -An -v -tx1 "$1/data.mdb" | tr -d ' \n' | grep -q "$2"; }
# new_envelope: 24 bytes of an envelope of 1,122 bytes that the relay carries, and that was not there before.
new_envelope() {
	for at in $(LC_ALL=C grep -obUaP '\xc5\x04\x62\x01' "$W/carrier/data.mdb" | LC_ALL=C cut -d: -f1); do
		sealed=$(od -An -v -tx1 -j $((at + 100)) -N 24 "$W/carrier/data.mdb" | tr -d ' \n')
		[ ${#sealed} -eq 48 ] && ! raw_has "$W/carrier.before" "$sealed" && return
	done
	fail "the relay carries nothing"
}
has() { b list "$W/$1" S1 --json | grep -q "$(cat "$W/a$2")"; }
all_agree() {
	expect 0 "agree" b sync "$W/twin"
	expect 0 "agree" b sync "$W/home"
}

printf '%s\n' '| survey | | | | |' '| | type | name | label | bind::banyan:class |' '| | text | who | Who | D |' '| | text | what | What | S |' \
	'| settings | | | | |' '| | form_id | version | form_title | |' '| | S1 | 1 | Seen | |' >"$W/S1.md"
province "Erased" "$W/S1.md"
office home province SM0901
below twin home node SM0901
expect 0 "let in" b devices "$W/home" --approve twin --address 127.0.0.1:9
expect 0 "agree" b sync "$W/twin"
below one home member SM09010101
below carrier home member SM09010102
expect 0 "agree" b sync "$W/carrier"

enter one 1 2 3
expect 0 "agree" b sync "$W/one"
all_agree
for n in 1 2 3; do
	has home $n && has twin $n && has province $n || fail "record $n is not everywhere"
	gone "$W/d$n" "$W/province" || fail "what identifies went up"
	there "$W/d$n" "$W/twin" || fail "the twin does not have what identifies"
	there "$W/a$n" "$W/province" "$W/one" || fail "the search does not find what is there"
done
expect 0 "" b backup "$W/home" -o "$W/home.before"
expect 0 "" b backup "$W/province" -o "$W/province.before"

# The fourth one, alone: it is given to a relay and to a stick, and then comes by the link itself.
enter one 4
cp -r "$W/carrier" "$W/carrier.before"
by_relay carrier one
expect 0 "" b pack "$W/one" -o "$W/stick"
# An envelope is sealed in PLAIN too: some of its bytes, as the relay keeps them, are what is looked for there.
new_envelope
raw_has "$W/carrier" "$sealed" || fail "the search does not find the envelope"
expect 0 "agree" b sync "$W/one"
all_agree
has home 4 && has twin 4 && has province 4 || fail "record 4 is not everywhere"
ok "four records at three nodes, one of them with a relay and on a stick"

# Behind this the office's key is another one: what stands there was sealed under the older one.
expect 0 "key 2" b rotate "$W/home"
expect 0 '"neighbours":2' b erase "$W/home" "$(id_of 2)" --reason "asked" --json
expect 0 '"neighbours":0' b erase "$W/home" "$(id_of 4)" --reason "asked" --json
gone "$W/d2" "$W/home" && gone "$W/a2" "$W/home" && gone "$W/d4" "$W/home" && gone "$W/a4" "$W/home" || fail "it is still at the office"
all_agree
for store in twin province; do
	for n in 2 4; do
		until_true 20 gone "$W/d$n" "$W/$store" || fail "what identifies in $n is still at the $store"
		until_true 20 gone "$W/a$n" "$W/$store" || fail "record $n is still at the $store"
	done
	same "records at the $store" "$(count $store S1)" 2
	has $store 1 && has $store 3 || fail "a neighbour is gone at the $store"
done
for store in home twin; do
	b show "$W/$store" "$(id_of 1)" | grep -q "$(cat "$W/d1")" || fail "a neighbour lost what identifies at $store"
done
for store in home twin province; do
	expect 0 "all is as it should be" b check "$W/$store"
done
ok "at the office, under an older key of it; at its second node; above"

expect 0 "envelope" b sync "$W/carrier"
raw_has "$W/carrier" "$sealed" && fail "the relay still has it"
expect 0 "erased.*delete" b unpack "$W/home" "$W/stick"
gone "$W/d4" "$W/home" && gone "$W/a4" "$W/home" || fail "a late stick brought it back"
same "records after the stick" "$(count home S1)" 2
expect 65 "erased.*delete" b unpack "$W/twin" "$W/stick" # the receipt in it is not for this node
gone "$W/d4" "$W/twin" && gone "$W/a4" "$W/twin" || fail "a late stick brought it back at the twin"
expect 0 "agree" b sync "$W/one"
expect 0 "" b backup "$W/home" -o "$W/home.after"
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/one"
for n in 2 4; do
	gone "$W/d$n" "$W/one" && gone "$W/a$n" "$W/one" || fail "the device still has record $n"
done
ok "at a relay, on the device, and a stick brings nothing back"

# Older backups: nothing of it is there before anything is served.
for store in home province; do
	down $store
	mv "$W/$store" "$W/$store.lost"
	expect 0 "2 orders" b restore "$W/$store.before" "$W/$store"
	for n in 2 4; do
		gone "$W/d$n" "$W/$store" && gone "$W/a$n" "$W/$store" || fail "a restore of the $store brought record $n back"
	done
	same "records after a restore of the $store" "$(count $store S1)" 2
	expect 0 "all is as it should be" b check "$W/$store"
	rm -r "$W/$store"
	mv "$W/$store.lost" "$W/$store"
done
up province
up home
all_agree
pass "older backups of the office and of the one above come back without it"
