# attachments.sh BANYAN SOURCE CUTLINK SEARCH: a form that allows them; 300 KB over a link that is cut in the middle and goes on
# without sending again what arrived; nothing of the file in clear; forms about a child, or that say nothing, refuse.
. "$2/tests/e2e/lib.sh"
cutlink=$1 search=$2

form() { # FILE SETTINGS-NAMES SETTINGS-VALUES
	printf '%s\n' '| survey | | | |' '| | type | name | label |' '| | text | who | Who |' '| | image | page | The signed page |' \
		'| settings | | | |' "| | form_id | version | form_title | $2 |" "| | A1 | 1 | Consent | $3 |" >"$1"
}
mkdir "$W/forms"
form "$W/forms/A1.md" banyan:attachments yes
form "$W/forms/child.md" 'banyan:attachments | banyan:about_child' 'yes | yes'
form "$W/forms/silent.md" style ''
make_node
expect 65 'row 4.*about a child' b form add "$W/node" "$W/forms/child.md"
sed 's/A1/A2/' "$W/forms/silent.md" >"$W/forms/A2.md"
expect 0 "" b form add "$W/node" "$W/forms/A1.md"
expect 0 "" b form add "$W/node" "$W/forms/A2.md"
ok "a form about a child refuses media"

start_node
mkdir "$W/link"
"$cutlink" "$ADDRESS" "$W/link" &
PIDS="$PIDS $!"
until_true 60 test -s "$W/link/address" || fail "no link"
node_address=$ADDRESS
ADDRESS=$(cat "$W/link/address")
device one SM09010101

# 300,000 bytes with markers all over.
: >"$W/markers"
i=0
while [ $i -lt 40 ]; do
	echo "marker-$i-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"
	i=$((i + 1))
done >"$W/markers"
awk '{ for (i = 0; i < 230; i++) printf "%s|", $0 }' "$W/markers" | head -c 300000 >"$W/page.jpg"
[ "$(wc -c <"$W/page.jpg")" -eq 300000 ] || fail "the file"
echo '{"who":"Sokha","page":"page.jpg"}' >"$W/answers.jsonl"
echo '{"who":"Sokha","page":"nowhere.jpg"}' >"$W/bad.jsonl"
expect 65 'page.*no file' b submit "$W/one" A1 --answers "$W/bad.jsonl"
expect 65 'does not allow' b submit "$W/one" A2 --answers "$W/answers.jsonl"
expect 0 "1 accepted" b submit "$W/one" A1 --answers "$W/answers.jsonl"
head -c 9000000 /dev/zero >"$W/large.jpg"
echo '{"who":"Sokha","page":"large.jpg"}' >"$W/bad.jsonl"
expect 65 'too long' b submit "$W/one" A1 --answers "$W/bad.jsonl"
"$search" "$W/markers" "$W/one" >"$W/out"
[ $? -eq 2 ] || fail "the file lies open on the device"
ok "sealed at once; refused where nothing allows it"

sent() { sed -n 's/.*"bytes_sent":\([0-9]*\).*/\1/p' "$W/out"; }
# cut_at BYTES: where a connection dies from now on (0: nowhere); $up: what devices sent till now.
asked=0
cut_at() {
	asked=$((asked + 1))
	echo "$asked $1" >"$W/link/ask.new"
	mv "$W/link/ask.new" "$W/link/ask"
	until_true 60 grep -q "^$asked " "$W/link/told" || fail "the link does not answer"
	up=$(sed 's/.* //' "$W/link/told")
}
# A budget that holds the record and little else; then a cut in the middle, and a cut within the first chunk of the rest.
expect 75 '"attachments_waiting":1' b sync "$W/one" --json --bytes-max 4000
b list "$W/node" A1 --json | grep -q '"id"' || fail "the record did not go first"
cut_at 150000
before=$up
expect 75 '"attachments_waiting":1' b sync "$W/one" --json
cut_at 100000
expect 75 '"attachments_waiting":1' b sync "$W/one" --json
cut_at 0
expect 0 '"attachments_sent":1,"attachments_waiting":0' b sync "$W/one" --json
cut_at 0
all=$((up - before))
# 19 chunks and their list are 301,000 bytes; frames and TLS are 2 %, greetings 2,000 a session; a cut loses
# what came of a chunk and of a TLS record: 33,000 each at most
[ "$all" -lt $((301000 + 6020 + 6000 + 2 * 33000)) ] || fail "$all bytes went up"
[ "$all" -gt 301000 ] || fail "only $all bytes went up: what was counted?"
echo "     $all bytes went up in three sessions for 300,000"
expect 0 "" b sync "$W/one" --json
[ "$(sent)" -lt 1500 ] || fail "it is sent again: $(sent)"
ok "resumed by chunk"

record=$(b list "$W/node" A1 --json | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p')
expect 0 '[0-9a-f]{16}-page.jpg"' b show "$W/node" "$record" --json
grep -q 'attachment:1:' "$W/out" && fail "show tells the key"
expect 0 "" b export "$W/node" A1 -o "$W/exported"
name=$(ls "$W/exported" | grep -e '-page.jpg$')
cmp "$W/exported/$name" "$W/page.jpg" || fail "another file came out"
grep -q "$name" "$W/exported/A1.csv" || fail "the table does not name it"
grep -q 'attachment:1:' "$W/exported/A1.csv" && fail "the table tells the key"
expect 0 'attachments.*exported' b audit "$W/node"
expect 0 '1 attachments checked; 0' b check "$W/node"
"$search" "$W/markers" "$W/one" "$W/node" >"$W/out"
[ $? -eq 2 ] || fail "the file lies open"
ok "an officer has it, and nobody else reads it"

# A backup, and a later record that is in it: safe. A second backup with more in it: the device gives it up, not before.
b submit "$W/one" A1 --answers "$W/answers.jsonl" >/dev/null
expect 0 '"attachments_sent":1' b sync "$W/one" --json
expect 0 "" b backup "$W/node" -o "$W/backup"
expect 0 "" b sync "$W/one"
b check "$W/one" >"$W/out" 2>&1
grep -q '^2 attachments checked; 0' "$W/out" || fail "the device gives up what is in one backup only"
b submit "$W/one" A1 --answers "$W/answers.jsonl" >/dev/null
expect 0 '"attachments_sent":1' b sync "$W/one" --json
expect 0 "" b backup "$W/node" -o "$W/backup2"
expect 0 "" b sync "$W/one"
b check "$W/one" >"$W/out" 2>&1
grep -q '^2 attachments checked; 0' "$W/out" || fail "the device keeps what is in two backups"
pass "a photograph over a bad link: sealed, resumed, readable at its office only, given up when it is safe"
