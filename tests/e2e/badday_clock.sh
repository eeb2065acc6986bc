# badday_clock.sh BANYAN SOURCE CLOCK: clocks in 1970 and 2106 at the node and at devices. Clocks decide nothing about
# trust: everybody still meets, and nothing is lost or put in another's place.
. "$2/tests/e2e/lib.sh"
clock=$1
# at SECONDS COMMAND...: with another clock; today, when SECONDS is 0.
at() {
	seconds=$1
	shift
	[ "$seconds" != 0 ] || { "$@"; return; }
	(
		export LD_PRELOAD="$clock" BANYAN_TEST_CLOCK="$seconds" ASAN_OPTIONS=verify_asan_link_order=0
		"$@"
	)
}
long_ago=86400        # 1970
far_off=4291747200    # 2106
# What a form asks for must not lie in the future: a clock in 1970 sees every date there.
old='{"kind":"awareness","topic":["referral"],"audience":["parents"],"date":"1970-01-01","hours":1,"people/people_f":1,"people/people_m":1,"people/people_child_f":0,"people/people_child_m":0,"people/first_time_n":1,"facilitator_org":"district","materials":[{"kind_of":"leaflet","language":"km","n":1}]}'

make_node F9_session
start_node
device one SM09010101
device two SM09010102
echo "$old" >"$W/old"
total=0

for device_time in "$long_ago" "$far_off" 0; do
	at $device_time expect 0 "accepted" b submit "$W/one" F9_session --answers "$W/old"
	at $device_time expect 0 "agree" b sync "$W/one"
	total=$((total + 1))
done
ok "a device's clock in 1970 and in 2106"

for node_time in "$long_ago" "$far_off" "$long_ago"; do
	stop_node
	SHIM="LD_PRELOAD=$clock BANYAN_TEST_CLOCK=$node_time ASAN_OPTIONS=verify_asan_link_order=0"
	start_node
	SHIM=
	for device_time in "$long_ago" 0 "$far_off"; do
		at $device_time expect 0 "accepted" b submit "$W/two" F9_session --answers "$W/old"
		at $device_time expect 0 "agree" b sync "$W/two"
		total=$((total + 1))
	done
done
stop_node
start_node
expect 0 "agree" b sync "$W/one"
expect 0 "agree" b sync "$W/two"
at_node=$(ids "$W/node" | uniq | wc -l)
[ "$at_node" -eq $total ] || fail "$at_node records at the node, $total were filled"
# A new invitation is still good today, and a newcomer still gets in, whatever clocks said meanwhile.
device three SM09010103
expect 0 "agree" b sync "$W/three"
pass "$total records under six clocks"
