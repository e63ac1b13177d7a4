#!/bin/sh
# Run every fuzzer for a bounded time, on its kept corpus; what it finds new goes to the build folder.
# Usage: tools/fuzz.sh BUILD_FOLDER SECONDS [NAME_PART]
set -eu
cd "$(dirname "$0")/.."
build=$1
seconds=$2
filter=${3:-}

[ -e "$build/build.ninja" ] || CC=clang meson setup "$build" --buildtype=debugoptimized \
    -Dfuzzing=true -Db_sanitize=address,undefined -Db_lundef=false \
    -Dc_args=-fsanitize=fuzzer-no-link
ninja -C "$build" --quiet

failed=0
for source in tests/fuzz/*/*_fuzz.c; do
    layer=$(basename "$(dirname "$source")")
    name=$(basename "$source" _fuzz.c)
    case "$layer/$name" in *"$filter"*) ;; *) continue ;; esac
    found=$build/found/$layer-$name
    mkdir -p "$found"
    echo "== $layer/$name, $seconds seconds"
    "$build/tests/fuzz/fuzz_${layer}_${name}" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -artifact_prefix="$found/" -verbosity=0 -print_final_stats=1 \
        "$found" "tests/fuzz/$layer/$name.corpus" 2>&1 |
        grep -E '^(stat::(number_of|average)|SUMMARY|ERROR|==|artifact| *#[0-9])|Test unit' || true
    if ls "$found"/crash-* "$found"/leak-* "$found"/timeout-* "$found"/oom-* >/dev/null 2>&1; then
        echo "FAILED: see $found"
        failed=1
    fi
done
exit $failed
