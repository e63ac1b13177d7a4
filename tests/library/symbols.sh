#!/bin/sh
# What the library needs and gives, read from its symbols: nothing that allocates, does I/O, reads a
# clock or keeps state; nothing exported but lst_. And its header compiles as C and as C++. Prints TAP.
# Usage: symbols.sh LIBRARY.a LIBRARY.so HEADER
static=$1
shared=$2
header=$3
count=0

# report WHAT OFFENDERS: passes if there are none
report() {
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        echo "$2" | sed 's/^/#   /'
        failed=1
    fi
}

# All that the library may call; what sanitizers and coverage add does not count.
allowed='^(mem(chr|cmp|cpy|move|set|mem)|str(len|chr|cmp|ncmp)|explicit_bzero|nettle_(sha256|hmac_sha1)_.*)$'
tools='^(__(asan|ubsan|sanitizer|stack_chk|sanitize|gcov|llvm)_?.*|_GLOBAL_OFFSET_TABLE_|lst_.*)$'
needed=$(nm -u "$static" | awk '$1 == "U" { print $2 }' | sort -u | grep -Ev "$tools" | grep -Ev "$allowed")
report 'the library calls nothing but memory functions and hashes' "$needed"

# Writable data would be state between calls. (Constants with pointers in them are in .data.rel.ro.)
data=$(objdump -t "$static" | awk 'NF > 4 && $(NF - 2) ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)$/ && $NF !~ /^\./ { print $NF }' |
    grep -Ev 'asan|ubsan|sanitizer|gcov|odr')
report 'the library has no writable data' "$data"

exported=$(nm -D --defined-only "$shared" | awk '{ print $3 }' | grep -Ev '^(lst_|__odr_asan|__asan|_init$|_fini$)')
report 'the shared library exports only names that begin with lst_' "$exported"

internal=$(nm -D --defined-only "$shared" | awk '{ print $3 }' | grep '^lst_internal_')
report 'and none of its internal ones' "$internal"

missing=$(grep -oE '\blst_[a-z_0-9]+\(' "$header" | tr -d '(' | sort -u | while read -r name; do
    nm -D --defined-only "$shared" | grep -q " $name\$" || echo "$name"
done)
report 'every function of the header is there' "$missing"

for compiler in "${CC:-cc} -x c -std=c17" "${CC:-cc} -x c -std=c99" "${CXX:-c++} -x c++ -std=c++11" "${CXX:-c++} -x c++ -std=c++20"; do
    # shellcheck disable=SC2086 # the words of the command
    output=$(printf '#include "%s"\nstatic struct lst_slice slice(void)\n{\n    return LST_SLICE("a");\n}\nint main(void)\n{\n    return (int)slice().length - 1;\n}\n' "$header" |
        ${compiler%% *} ${compiler#* } -Wall -Wextra -Wpedantic -Werror -fsyntax-only - 2>&1)
    report "the header compiles with $compiler" "$output"
done

echo "1..$count"
exit "${failed:-0}"
