#!/bin/sh
# Formatting, warnings as errors with gcc and clang, clang-tidy, cppcheck. Every check runs, even
# when one before it has failed; exit status 1 if any did.
# Usage: tools/check.sh BUILD_FOLDER    or    tools/check.sh --format (mend the formatting only)
set -u
cd "$(dirname "$0")/.." || exit 1

files=$(find include sigv4 src tests bench -name '*.[ch]' | sort)
if [ "${1:-}" = --format ]; then
    # shellcheck disable=SC2086 # a list of paths without spaces
    exec clang-format -i $files
fi
build=$1
log=$build/check.log
failed=
mkdir -p "$build"

# check NAME COMMAND...: quiet when it passes.
check() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        echo "ok      $name"
    else
        cat "$log"
        echo "FAILED  $name"
        failed=yes
    fi
}

compile() {
    [ -e "$build/check-$1/build.ninja" ] ||
        CC=$1 meson setup "$build/check-$1" --buildtype=debugoptimized || return 1
    ninja -C "$build/check-$1"
}

tidy() {
    # One file a run: over several, clang-tidy 14 takes every va_list for uninitialised.
    find sigv4 src -name '*.c' | xargs -P 2 -n 1 clang-tidy --quiet -p "$build/check-clang" 2>/dev/null
}

# shellcheck disable=SC2086
check clang-format clang-format --dry-run -Werror $files
check 'gcc, warnings as errors' compile gcc
check 'clang, warnings as errors' compile clang
check clang-tidy tidy
check cppcheck cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
    --enable=warning,performance,portability --suppress=missingIncludeSystem -j 2 \
    -I include -I src sigv4 src
[ -z "$failed" ]
