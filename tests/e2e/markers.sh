# markers.sh BANYAN SOURCE PLAIN SEARCH: markers are planted in every identifying text of a referral and a list of
# departures, in names of officers and devices, in notes and reasons; then the raw files of all stores, backups and logs
# are searched: none. The same search finds every one of them in the stores of PLAIN, a build that does not seal and
# does not compress, or it would prove nothing.
. "$2/tests/e2e/lib.sh"
sealed=$B
plain=$1
search=$2

has() { "$B" --help | grep -q "^  *$1 "; }
# mark: a new marker, noted. Letters only: forms refuse what looks like a number of a telephone.
mark() {
	m=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n' | tr 0-9 g-p)
	echo "m$m" >>"$W/markers"
	echo "m$m"
}
# plant FORM: the samples of FORM, a marker of its own in each text of class D.
plant() {
	: >"$W/$1.jsonl"
	while read -r line; do
		while case $line in *'"Fictitious'*) true ;; *) false ;; esac; do
			line=$(printf '%s\n' "$line" | sed "s/\"Fictitious[^\"]*\"/\"$(mark)\"/")
		done
		printf '%s\n' "$line" >>"$W/$1.jsonl"
	done <"$SOURCE/schemas/forms/samples/$1.jsonl"
}

# scene: a day's work with $B, markers in $W/markers, all that it leaves in $W/stores.
scene() {
	rm -rf "$W/stores" "$W/markers" "$W/root"
	mkdir "$W/stores"
	: >"$W/serve.err"
	head -c 32 /dev/urandom >"$W/key"
	ADDRESS=$HOST:0
	expect 0 "" b init "$W/stores/node" --programme "End to end" --areas "$SOURCE/schemas/areas/demo_province.csv" \
		--area SM09 --officer "$(mark)" --root-out "$W/root"
	expect 0 "" b form add "$W/stores/node" "$SOURCE/schemas/forms/F3_departures.md" "$SOURCE/schemas/forms/F4_referral.md"
	start_node "$W/stores/node"
	name=$(mark)
	line=$(b invite "$W/stores/node" --role member --area SM09010101 --name "$name" --address "$ADDRESS")
	expect 0 "" b join "$W/stores/device" "$line"
	plant F3_departures
	plant F4_referral
	expect 0 "" b submit "$W/stores/device" F3_departures --answers "$W/F3_departures.jsonl"
	expect 0 "" b submit "$W/stores/device" F4_referral --answers "$W/F4_referral.jsonl"
	# What was finished and not yet sent is searched too.
	cp -r "$W/stores/device" "$W/stores/unsent"
	expect 0 "agree" b sync "$W/stores/device"
	id=$(b list "$W/stores/device" F4_referral --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
	if has amend; then
		expect 0 "" b amend "$W/stores/device" "$id" --set "child/locate_hint=$(mark)"
		expect 0 "agree" b sync "$W/stores/device"
		expect 0 "" b review "$W/stores/node" "$id" --state has_issues --note "$(mark)"
		expect 0 "agree" b sync "$W/stores/device"
		id=$(b list "$W/stores/device" F3_departures --json | sed -n '1s/^{"id":"\([0-9a-f]*\)".*/\1/p')
		expect 0 "" b void "$W/stores/device" "$id" --reason "$(mark)"
		expect 0 "agree" b sync "$W/stores/device"
	fi
	# The node can read what was planted: it did arrive.
	b list "$W/stores/node" F4_referral --json >"$W/listed" || fail "list"
	[ "$(grep -c '"id"' "$W/listed")" -eq "$(grep -c . "$W/F4_referral.jsonl")" ] || fail "not all referrals came"
	if has extract && has devices; then
		line=$(b invite "$W/stores/node" --role researcher --area SM09 --name "$(mark)" --address "$ADDRESS")
		expect 0 "" b join "$W/stores/researcher" "$line"
		expect 0 "" b devices "$W/stores/node" --approve "$(tail -n 1 "$W/markers")"
		b extract "$W/stores/researcher" --form F3_departures --by month -o "$W/stores/table" >"$W/out" 2>"$W/err" ||
			fail "extract"
	fi
	has revoke && expect 0 "" b revoke "$W/stores/node" "$name" --reason "$(mark)"
	has backup && expect 0 "" b backup "$W/stores/node" -o "$W/stores/backup"
	stop_node
	cp "$W/serve.err" "$W/stores/log"
}

scene
"$search" "$W/markers" "$W/stores" >"$W/out"
[ $? -eq 2 ] || fail "markers in clear"
tail -n 1 "$W/out"
ok "nothing in clear: $(cd "$W/stores" && echo *)"

# A real program refuses a plain store, and the two do not talk to each other.
mv "$W/stores" "$W/sealed"
B=$plain
expect 77 "does not open this store" b list "$W/sealed/node" F4_referral
scene
grep -q "TEST BUILD" "$W/err" || fail "the plain build does not say what it is"
"$search" "$W/markers" "$W/stores" >"$W/out" || fail "the search does not find what lies open"
tail -n 1 "$W/out"
B=$sealed
expect 77 "does not open this store" b list "$W/stores/node" F4_referral
B=$plain
start_node "$W/stores/node"
line=$(b invite "$W/stores/node" --role member --area SM09010101 --name "real" --address "$ADDRESS")
B=$sealed
expect 76 "secure connection" b join "$W/real" "$line"
pass "found in a build that does not seal, and only there"
