# attached_stick.sh BANYAN SOURCE: an attachment goes by stick, behind the records: a bundle that is cut, the rest in the next one,
# the office's word back, a link that sends nothing again, a record that is voided meanwhile, what a backup lets the device give up.
. "$2/tests/e2e/lib.sh"
size() { wc -c <"$W/$1"; }

consent_form
make_node
expect 0 "" b form add "$W/node" "$W/A1.md"
start_node
device one SM09010101
expect 0 "agree" b sync "$W/one"
stop_node

# attached_stick_cut: the records and the first pieces count.
submit_random one first 300000 >"$W/id1"
expect 0 "" b pack "$W/one" -o "$W/up1" --json
[ "$(field attachments)" = 1 ] && [ "$(size up1)" -gt 300000 ] || fail "attached_stick: $(cat "$W/out")"
head -c 180000 "$W/up1" >"$W/cut"
expect 65 "envelope" b unpack "$W/node" "$W/cut" --json
[ "$(field parcels)" = 1 ] && [ "$(field attachments)" = 0 ] && [ "$(field pieces)" -ge 2 ] || fail "attached_stick_cut: $(cat "$W/out")"
expect 0 "" b pack "$W/node" -o "$W/down1"
expect 0 "" b unpack "$W/one" "$W/down1" --json
expect 0 "" b pack "$W/one" -o "$W/up2" --json
[ "$(size up2)" -lt 180000 ] && [ "$(size up2)" -gt 120000 ] || fail "attached_stick_cut: $(size up2) bytes for the rest of $(size up1)"
expect 0 "" b unpack "$W/node" "$W/up2" --json
[ "$(field attachments)" = 1 ] && [ "$(field parcels)" = 0 ] || fail "attached_stick_cut: $(cat "$W/out")"
same_page node first
ok "attached_stick_cut: $(size up1) bytes, cut at 180000, then $(size up2)"

# attached_stick_word: the office's word comes back; nothing goes again, by a stick or by a link. The same bundle twice is harmless.
expect 0 "" b unpack "$W/node" "$W/up1" --json
[ "$(field attachments)" = 0 ] && [ "$(field refused)" = 0 ] || fail "attached_stick_word: twice: $(cat "$W/out")"
expect 0 "" b pack "$W/node" -o "$W/down2"
expect 0 "1 more attachment whole" b unpack "$W/one" "$W/down2"
expect 0 "" b pack "$W/one" -o "$W/up3" --json
[ "$(field attachments)" = 0 ] && [ "$(size up3)" -lt 3000 ] || fail "attached_stick_word: $(cat "$W/out")"
start_node
expect 0 '"verified":true' b sync "$W/one" --json
grep -q attachments "$W/out" && fail "attached_stick_word: the link knows nothing of it"
stop_node
ok "attached_stick_word"

# attached_stick_link: packed, not heard of again; a link asks, and sends nothing that arrived.
submit_random one second 100000 >"$W/id2"
expect 0 "" b pack "$W/one" -o "$W/up4"
expect 0 "" b unpack "$W/node" "$W/up4" --json
start_node
expect 0 '"attachments_sent":1' b sync "$W/one" --json
[ "$(field bytes_sent)" -lt 4000 ] || fail "attached_stick_link: $(field bytes_sent) bytes for what was there"
stop_node
same_page node second
ok "attached_stick_link"

# attached_stick_void: the record is voided at the office while the stick is on its way.
submit_random one third 50000 >"$W/id3"
expect 0 "" b pack "$W/one" -o "$W/up5"
head -c 1500 "$W/up5" >"$W/cut"
expect 65 "" b unpack "$W/node" "$W/cut"
expect 0 "no longer counts" b void "$W/node" "$(cat "$W/id3")" --reason "not needed"
expect 0 "" b unpack "$W/node" "$W/up5" --json
[ "$(field attachments)" = 0 ] || fail "attached_stick_void: it was taken"
before=$(attachments one)
expect 0 "" b pack "$W/node" -o "$W/down3"
expect 0 "" b unpack "$W/one" "$W/down3" --json
[ "$(attachments one)" = $((before - 1)) ] || fail "attached_stick_void: the device keeps it"
ok "attached_stick_void"

# attached_stick_safe: a later record that is in a backup, told by stick: it waits for a second one. Then the device gives both up.
there=$(attachments one)
for n in 1 2; do
	[ "$(attachments one)" = "$there" ] || fail "attached_stick_safe: given up after one backup"
	submit_random one "last$n" 10 >"$W/id4"
	there=$((there + 1))
	expect 0 "" b pack "$W/one" -o "$W/up6$n"
	expect 0 "" b unpack "$W/node" "$W/up6$n"
	expect 0 "" b backup "$W/node" -o "$W/backup$n"
	expect 0 "" b pack "$W/node" -o "$W/down4$n"
	expect 0 "" b unpack "$W/one" "$W/down4$n"
done
[ "$(attachments one)" = 2 ] || fail "attached_stick_safe: the device has $(attachments one)"
expect 0 "all is as it should be" b check "$W/node"
pass "attachments by stick: cut, resumed, told, given up"
