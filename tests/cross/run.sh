#!/bin/sh
# Build for another machine and run the tests there, under qemu's user emulation:
#   run.sh SOURCE DIRECTORY BANYAN ARCHITECTURE TRIPLE QEMU PATTERN
# PATTERN says which test programs. BANYAN is this machine's program: the other machine's device syncs with its node.
# Exit 77: what it needs is not here. The packages are those of the [full] section of tools/packages.txt.
set -u
source=$1 directory=$2 banyan=$3 architecture=$4 triple=$5 qemu=$6 pattern=$7

for needed in "$triple-gcc" "$qemu" dpkg-deb ninja; do
	command -v "$needed" >/dev/null || { echo "skipped: no $needed"; exit 77; }
done
mkdir -p "$directory" || exit 1
"$source/tests/cross/sysroot.sh" "$architecture" "$directory/root" || exit $?
tests=$(cd "$source/tests" && ls test_*.c | sed 's/\.c$//' | grep -E "^test_($pattern)\$")
{
	cmake -S "$source" -B "$directory/build" -G Ninja -DBANYAN_BUILD=release \
		-DCMAKE_TOOLCHAIN_FILE="$source/tests/cross/toolchain.cmake" -DCROSS_TRIPLE="$triple" \
		-DCROSS_ROOT="$directory/root" -DCROSS_QEMU="$qemu" &&
		nice ninja -C "$directory/build" banyan $tests
} >"$directory/build.log" 2>&1 || { tail -n 40 "$directory/build.log"; exit 1; }
# Those that were built, and no others: ctest takes what is not there for a failure.
[ -n "$tests" ] || { echo "run.sh: no test program is named $pattern"; exit 1; }
only=$(echo $tests | sed 's/ /|/g')
ctest --test-dir "$directory/build" -j "$(nproc)" --timeout 1200 --output-on-failure -R "^($only)\$" || exit 1
cat >"$directory/banyan" <<END
#!/bin/sh
exec $qemu -L "$directory/root" "$directory/build/banyan" "\$@"
END
chmod +x "$directory/banyan"
"$triple-strip" -o "$directory/stripped" "$directory/build/banyan"
echo "$architecture: the stripped program has $(wc -c <"$directory/stripped") bytes (target for a device: 1500000)"
sh "$source/tests/cross/device.sh" "$banyan" "$source" "$directory/banyan"
