#!/bin/sh
# Debian's libraries for another machine, unpacked into a folder: sysroot.sh ARCHITECTURE DIRECTORY
# Leaves this machine's own packages as they are: apt works in a state of its own below DIRECTORY. Exit 77: cannot.
set -u
architecture=$1 root=$2
. "$(dirname "$0")/../../tools/packages.sh"
list=$(dirname "$0")/../../tools/packages.txt

[ ! -e "$root/.whole" ] || exit 0
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" || exit 1
# The release as it came out will do for a test, and its index is there for every architecture.
. /etc/os-release
packages_sources | awk -v suite="${VERSION_CODENAME:-}" '$3 == suite' |
	sed "s/^deb /deb [arch=$architecture] /" >"$root/apt/sources.list"
if ! [ -s "$root/apt/sources.list" ]; then
	echo "sysroot.sh: apt has no source of Debian's packages"
	exit 77
fi
: >"$root/apt/status"

aptget() {
	apt-get -q -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" \
		-o APT::Sandbox::User=root -o Dir::State="$root/apt" -o Dir::State::status="$root/apt/status" \
		-o Dir::State::lists="$root/apt/lists" -o Dir::Cache="$root/apt/cache" \
		-o Dir::Etc::sourcelist="$root/apt/sources.list" -o Dir::Etc::sourceparts=- "$@"
}

wanted=$(awk '/^\[/ { on = $1 == "[build]"; next } on && /^lib.*-dev$/ { print $1 }' "$list")
{ aptget update && aptget -y -d --no-install-recommends install $wanted; } >"$root/apt.log" 2>&1 || {
	tail -n 5 "$root/apt.log"
	echo "sysroot.sh: packages for $architecture cannot be fetched"
	exit 77
}
for package in "$root"/apt/cache/archives/*.deb; do
	dpkg-deb -x "$package" "$root" || exit 1
done
rm -rf "$root/apt"
# Links that name a place from the root of a system point into this folder instead.
find "$root" -type l -lname '/*' | while read -r link; do
	ln -sfn "$root$(readlink "$link")" "$link"
done
: >"$root/.whole"
