# extract.sh BANYAN SOURCE: a researcher's own store joins, is approved, and asks the node over TLS for a table. It gets
# what it may, once; and neither its store nor its files hold a byte of an identifying answer.
. "$2/tests/e2e/lib.sh"
marker=MARKER-Sokha-Chan

cat >"$W/seen.md" <<'END'
| survey |
| | type | name | bind::banyan:class | label |
| | select_one sex | sex | S | Sex |
| | text | name | D | Name |
| | integer | n | O | How many |

| choices |
| | list_name | name | label |
| | sex | female | Female |
| | sex | male | Male |

| settings |
| | form_id | version |
| | seen | 1 |
END
# answers FEMALE MALE: so many lines.
answers() {
	awk -v f="$1" -v m="$2" -v marker="$marker" 'BEGIN { for (i = 0; i < f + m; i++)
		printf "{\"sex\":\"%s\",\"name\":\"%s %d\",\"n\":2}\n", i < f ? "female" : "male", marker, i }'
}

make_node
expect 0 "" b form add "$W/node" "$W/seen.md"
start_node
device one SM09010101
device two SM09010102
answers 12 11 >"$W/one.jsonl"
answers 15 3 >"$W/two.jsonl"
for d in one two; do
	expect 0 "accepted" b submit "$W/$d" seen --answers "$W/$d.jsonl"
	expect 0 "" b sync "$W/$d"
	rm "$W/$d.jsonl"
done

# --- a researcher, before and after the office's word ---
expect 0 "" b join "$W/research" "$(invite University SM0901 researcher)"
"$B" extract "$W/research" --form seen --by sex -o "$W/early" --key-file "$W/key" >"$W/out" 2>"$W/err" </dev/null &&
	fail "a researcher whom nobody approved gets a table"
[ ! -e "$W/early/table.csv" ] || fail "a refused table was written"
expect 0 "" b devices "$W/node" --approve University
expect 0 "published" b extract "$W/research" --form seen --by area:commune,sex --sum n -o "$W/table"
ok "the node answers over TLS"

# row AREA SEX: the rest of that row.
row() { tr -d '\r' <"$W/table/table.csv" | sed -n "s/^$1,$2,//p"; }
commune=$(awk -F, '$1 == "SM09010101" { print $2 }' "$SOURCE/schemas/areas/demo_province.csv")
[ "$(row "$commune" female)" = "27,54,published" ] || fail "girls of $commune: $(row "$commune" female)"
[ "$(row "$commune" male)" = "14,28,published" ] || fail "boys of $commune: $(row "$commune" male)"
[ "$(row "$commune" __none__)" = ",,withheld" ] || fail "unanswered in $commune: $(row "$commune" __none__)"
[ "$(row "$commune" __total__)" = ",,withheld" ] || fail "a total stands beside a withheld cell"
hash=$(sha256sum <"$W/table/table.csv" | cut -d ' ' -f 1)
grep -q "\"sha256\":\"$hash\"" "$W/table/manifest.json" || fail "the manifest has another hash"
grep -q "\"rows\":$(($(wc -l <"$W/table/table.csv") - 1))," "$W/table/manifest.json" || fail "the manifest counts other rows"
ok "counts are those of the input, small ones withheld"

# --- once ---
expect 0 "" b extract "$W/research" --form seen --by area:commune,sex --sum n -o "$W/again"
cmp -s "$W/table/table.csv" "$W/again/table.csv" && cmp -s "$W/table/manifest.json" "$W/again/manifest.json" ||
	fail "the same query has another answer"
expect 77 "release 1" b extract "$W/research" --form seen --by area:village,sex -o "$W/other"
expect 77 "name" b extract "$W/research" --form seen --by name --period 2001-01-01..2001-12-31 -o "$W/other"
expect 77 "" b export "$W/research" seen -o "$W/other"
expect 73 "exists" b extract "$W/research" --form seen --by area:commune,sex --sum n -o "$W/table"
[ ! -e "$W/other/table.csv" ] && [ ! -e "$W/other/seen.csv" ] || fail "a refused file was written"
ok "repeated byte for byte, overlapping and identifying ones refused"

# --- the officer's rows do hold it, the others nothing ---
expect 0 "" b export "$W/node" seen -o "$W/rows"
[ "$(grep -c "$marker" "$W/rows/seen.csv")" -eq 41 ] || fail "the search does not find what is there"
grep -rqaF "$marker" "$W/research" "$W/table" "$W/again" && fail "an identifying answer reached the researcher"
grep -rqaF "$marker" "$W/node" "$W/one" "$W/two" && fail "an identifying answer lies in clear in a store"
stop_node
pass "a researcher has the table and nothing else"
