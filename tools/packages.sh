#!/bin/sh
# Install the Debian packages that a purpose needs and that are missing; say nothing when none is.
# With --check, install nothing: name what is missing, and fail.
# Usage: tools/packages.sh [--check] build|test|check|fuzz|bench ...
set -eu

only_check=
if [ "${1:-}" = --check ]; then
    only_check=yes
    shift
fi

packages_for() {
    case "$1" in
    build)
        echo gcc libc6-dev meson ninja-build pkg-config \
            libnettle8 nettle-dev liblmdb-dev libssl-dev libexpat1-dev \
            libjansson-dev libisal-dev libinih-dev libmagic-dev libmagic-mgc \
            libcurl4-openssl-dev libqrencode-dev libcrypt-dev
        ;;
    # Other clients come from PyPI and npm (tests/requirements.txt, tests/clients/package.json). The
    # awscli is the second generation; PyPI has the first.
    test)
        echo g++ python3 python3-venv ca-certificates openssl chromium chromium-driver \
            curl unzip awscli s3cmd rclone restic s3fs fuse libfuse3-dev nginx-light \
            ceph-mon ceph-osd radosgw ceph-common
        ;;
    check) echo clang clang-format clang-tidy cppcheck ;;
    fuzz) echo clang libclang-rt-14-dev ;;
    bench) echo python3 python3-venv ca-certificates nginx-light wrk util-linux ;;
    *)
        echo "packages.sh: unknown purpose '$1' (build, test, check, fuzz, bench)" >&2
        exit 2
        ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

wanted=
for purpose in "$@"; do
    wanted="$wanted $(packages_for "$purpose")"
done

if ! command -v dpkg-query >/dev/null; then
    echo "Not a Debian system: these have to be there already, under whatever name:$wanted" >&2
    exit 0
fi

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ -n "$only_check" ]; then
    echo "Missing Debian packages:$missing" >&2
    echo "Run 'make deps' to install them (as root, or with sudo), then 'make' again." >&2
    exit 1
fi

if [ "$(id -u)" = 0 ]; then
    as_root=env
elif command -v sudo >/dev/null; then
    as_root='sudo env'
else
    echo "Missing Debian packages, and neither root nor sudo to install them. As root, run:" >&2
    echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "Installing Debian packages (a minute or more):$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # both are lists of words
if ! { $as_root apt-get update &&
    $as_root DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing
} >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed; the messages of apt-get are above." >&2
    exit 1
fi
