# packages: what Debian packages a script needs. Sourced, not run: . tools/packages.sh

# packages_list SECTION...: the names below these sections of packages.txt.
packages_list() {
	for section in "$@"; do
		awk -v want="[$section]" '/^\[/ { on = $1 == want; next } on && NF && $1 !~ /^#/ { print $1 }' \
			"$(dirname "$0")/../tools/packages.txt"
	done
}

# packages_missing SECTION...: those of them that are not installed.
packages_missing() {
	for package in $(packages_list "$@"); do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed' ||
			echo "$package"
	done
}

# packages_install SECTION...: install what is missing, as root or through sudo; else say what is missing, and fail.
packages_install() {
	missing=$(packages_missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
			echo "These packages are missing; ask who runs this machine to install them:" >&2
			echo "  apt-get install --no-install-recommends $missing" >&2
			return 1
		fi
		as_root=sudo
	fi
	echo "Installing: $missing"
	log=$(mktemp) || return 1
	# What is installed is for all users, whatever this one's umask. $missing: a word each.
	# shellcheck disable=SC2086
	$as_root sh -c 'umask 022
		apt-get -q update &&
			DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends "$@"' \
		install $missing >"$log" 2>&1
	installed=$?
	[ $installed -eq 0 ] || tail -n 20 "$log" >&2
	rm -f "$log"
	return $installed
}

# packages_sources: Debian's own package sources of this machine, as one-line entries.
packages_sources() {
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null | awk -F'|' '$1 == "Debian" {
			key = $2 " " $3
			if (!(key in seen)) order[++n] = key
			seen[key] = seen[key] " " $4
		}
		END { for (i = 1; i <= n; i++) print "deb " order[i] seen[order[i]] }'
}
