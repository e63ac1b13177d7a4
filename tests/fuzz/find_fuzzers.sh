#!/bin/sh
# Print the names of a layer's fuzzers, one a line, without "_fuzz.c".
cd "$(dirname "$0")/$1" 2>/dev/null || exit 0
for file in *_fuzz.c; do
    [ -e "$file" ] && echo "${file%_fuzz.c}"
done
exit 0
