#!/usr/bin/env python3
"""The rules of the house that no compiler checks: which layer may include what, which functions are
banned, how long a file may be.

Run it alone to see what it finds: `tests/layers.py`. The rules are in docs/architecture.md and
docs/style.md; the check is itself checked, on a small tree with one fault of every kind.
"""
import os
import re
import sys
import tempfile

# From the bottom of the house to the top: an #include may point only to the left.
LAYERS = ["include", "sigv4", "base", "http", "index", "blob", "store", "access", "gate", "s3", "api",
          "server", "cli"]

# Libraries, each only where it belongs. What depends on an engine is its layer's secret.
LIBRARY_HEADERS = {
    r"lmdb\.h": {"index"},
    r"openssl/.*": {"server"},
    r"expat\.h": {"s3"},
    r"jansson\.h": {"access", "gate", "api", "cli"},
    r"nettle/.*": {"sigv4", "store", "gate", "s3", "api"},
    r"magic\.h": {"s3"},
    r"curl/.*": {"api", "cli"},
    r"crypt\.h": {"api"},
    r"qrencode\.h": {"cli"},
    r"(isa-l/)?crc(64)?\.h|isa-l\.h": {"s3", "index"},
    r"ini\.h": {"server"},
}

# The signing library is pure: of libc only what neither allocates, nor does I/O, nor reads a clock.
PURE_HEADERS = {"emmintrin.h", "limits.h", "stdalign.h", "stdbool.h", "stddef.h", "stdint.h", "string.h"}

LIBC_HEADERS = PURE_HEADERS | {
    "assert.h", "ctype.h", "dirent.h", "endian.h", "errno.h", "fcntl.h", "getopt.h", "inttypes.h", "libgen.h",
    "malloc.h", "math.h", "netdb.h", "poll.h", "pthread.h", "pwd.h", "sched.h", "setjmp.h", "signal.h",
    "stdarg.h", "stdatomic.h", "stdio.h", "stdlib.h", "strings.h", "termios.h", "threads.h", "time.h",
    "unistd.h"}
# Headers that single files may include, each with its reason.
SINGLE_HEADERS = {
    "dlfcn.h": {"src/base/library.c"},  # libraries that are loaded when they are first used
    "immintrin.h": {"src/s3/checksum_crc64.c"},  # carry-less multiplication, where there is one: seven times as fast
    "cpuid.h": {"src/s3/checksum_crc64.c"},  # and asks whether there is
    # The only way out of jansson's reader without memory, and out of a read of a mapped file that has a bad page; and
    # from stack to stack.
    "setjmp.h": {"src/access/json.c", "src/base/fiber.c", "src/index/guard.c"},
    # Fibers: a stack is entered once, and the sanitizers and valgrind are told of each switch.
    "ucontext.h": {"src/base/fiber.c"},
    "sanitizer/asan_interface.h": {"src/base/fiber.c"},
    "sanitizer/common_interface_defs.h": {"src/base/fiber.c"},
    "sanitizer/lsan_interface.h": {"src/base/fiber.c"},
    "sanitizer/tsan_interface.h": {"src/base/fiber.c"},
    "valgrind/valgrind.h": {"src/base/fiber.c"},
}
LIBC_FOLDERS = ("sys/", "arpa/", "netinet/", "net/", "linux/")

BANNED = ["alloca", "atof", "atoi", "atol", "atoll", "gets", "scanf", "sprintf", "sscanf", "fscanf",
          "stpcpy", "strcat", "strcpy", "strncat", "strtok", "strtok_r", "tmpnam", "mktemp",
          "vsprintf",
          "json_dumps"]  # leaves out names without memory: lst_json_dump()

# A function that gives a status is marked, so that the compiler finds a call whose status is dropped.
STATUS = re.compile(r"^(?:LST_PUBLIC )?(?:static inline )?int\s+(\w+)\s*\(", re.MULTILINE)
# Those that give an int which is none, or always the same after they have reported.
NO_STATUS = {
    "lst_slice_compare", "lst_row_compare", "lst_row_seek", "lst_error_from_errno", "lst_index_error", "lst_blob_write_error", "lst_blobs_fail",
    "lst_problem", "lst_policy_problem", "lst_usage_error", "lst_directory_damaged", "lst_directory_report",
    "lst_profile_command_report", "lst_client_api_report",
}
# jansson reads on beyond the end of its text when memory runs out: lst_json_load() does not. Commands end then anyway.
JSON_READER = re.compile(r"(?<![\w.>])(json_load\w*)\s*\(")
JSON_READERS = {"src/access/json.c"}

# What depends on which operation it is stands in its row of the table (s3/operations.h).
OPERATION_COMPARED = re.compile(r"(?:->|\.)run\s*[!=]=(?!\s*NULL\b)|\brun\s*[!=]=\s*lst_\w+\b(?!\()|[!=]=\s*[\w>.-]+(?:->|\.)run\b|"
                                r"\b(?:strcmp|lst_slice_equal)\s*\([^;{]*\boperation(?:->|\.)name\b")

LINES_MAX = 1000
LINES_EXEMPT = {"include/latchstring.h"}  # the manual

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")


def layer_of(path):
    """The layer of a file, by its path from the root: None outside the house."""
    parts = path.split("/")
    if parts[0] in ("include", "sigv4"):
        return parts[0]
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return None


def sources(root):
    for top in ("include", "sigv4", "src"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_system_include(path, layer, header):
    if path in SINGLE_HEADERS.get(header, ()):
        return None
    for pattern, allowed in LIBRARY_HEADERS.items():
        if re.fullmatch(pattern, header):
            if layer in allowed:
                return None
            return f"<{header}> belongs to {', '.join(sorted(allowed))} only"
    if layer in ("include", "sigv4") and header not in PURE_HEADERS:
        return f"<{header}>: the signing library is pure"
    if header in LIBC_HEADERS or header.startswith(LIBC_FOLDERS):
        return None
    return f"<{header}> is a header that tests/layers.py does not know"


def check_own_include(root, path, layer, header):
    if header == "latchstring.h":
        return None
    if os.path.exists(os.path.join(root, os.path.dirname(path), header)) and "/" not in header:
        return None  # a sibling
    target = header.split("/")[0]
    if "/" not in header or target not in LAYERS or target in ("include", "sigv4"):
        return f'"{header}": written as "layer/file.h", or a file of the same folder'
    if LAYERS.index(target) > LAYERS.index(layer):
        return f'"{header}": {layer} stands below {target} and may not include it'
    if layer == "sigv4":
        return f'"{header}": {layer} stands beside {target}, not on it'
    if not os.path.exists(os.path.join(root, "src", header)):
        return f'"{header}": no such file'
    return None


def check_file(root, path):
    """The faults of one file, each as (line number, text)."""
    layer = layer_of(path)
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    if layer not in LAYERS:
        yield 1, f"is in no layer (one of {', '.join(LAYERS)})"
        return
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            kind, header = match.groups()
            fault = (check_system_include(path, layer, header) if kind == "<"
                     else check_own_include(root, path, layer, header))
            if fault:
                yield number, fault
    if text.count("\n") > LINES_MAX and path not in LINES_EXEMPT:
        yield LINES_MAX, f"has {text.count(chr(10))} lines; split it by purpose ({LINES_MAX} at most)"
    code = NOISE.sub(lambda noise: "\n" * noise.group().count("\n"), text)
    for match in STATUS.finditer(code) if path.startswith("src/") and path.endswith(".h") else ():
        if match.group(1) not in NO_STATUS:
            yield code.count("\n", 0, match.start()) + 1, f"{match.group(1)}() gives a status: LST_MUST_CHECK"
    for match in JSON_READER.finditer(code) if layer != "cli" and path not in JSON_READERS else ():
        yield code.count("\n", 0, match.start()) + 1, f"{match.group(1)}(): use lst_json_load()"
    for match in OPERATION_COMPARED.finditer(code) if path.startswith("src/") else ():
        yield code.count("\n", 0, match.start()) + 1, "operations are compared: ask the table of operations"
    for match in BANNED_CALL.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, f"{match.group(1)}() is banned"


def check_tree(root):
    """All faults, as lines "path:line: text"."""
    return [f"{path}:{number}: {fault}" for path in sources(root)
            for number, fault in check_file(root, path)]


# A tree with one fault of every kind, and what must be said of each.
FAULTY = {
    "src/base/upward.c": ('#include "store/store.h"\n', "base stands below store"),
    "src/base/library.c": ("#include <jansson.h>\n", "<jansson.h> belongs to"),
    "src/store/engine.c": ("#include <lmdb.h>\n", "<lmdb.h> belongs to index only"),
    "src/store/sockets.c": ("#include <openssl/ssl.h>\n", "<openssl/ssl.h> belongs to server only"),
    "src/s3/upward.c": ('#include "api/api.h"\n', "s3 stands below api"),
    "src/s3/relative.c": ('#include "../server/server.h"\n', 'written as "layer/file.h"'),
    "src/s3/unknown.c": ("#include <boost.h>\n", "does not know"),
    "src/s3/missing.c": ('#include "base/nothing.h"\n', "no such file"),
    "src/extra/house.c": ("int x;\n", "is in no layer"),
    "src/base/inner.c": ('#include "sigv4/hash.h"\n', 'written as "layer/file.h"'),
    "sigv4/clock.c": ("#include <time.h>\n", "the signing library is pure"),
    "sigv4/house.c": ('#include "base/base.h"\n', "sigv4 stands below base"),
    "src/http/banned.c": ('void f(char *a) { strcpy (a, "b"); }\n', "strcpy() is banned"),
    "src/store/dropped.h": ("/* a status */\nint lst_x_open(void);\n", "lst_x_open() gives a status"),
    "src/gate/reader.c": ("void f(void) { json_loads(text, 0, NULL); }\n", "use lst_json_load()"),
    "src/s3/compared.c": ("bool f(void) { return operation->run == lst_put_object; }\n", "ask the table of operations"),
    "src/s3/named.c": ("bool f(void) { return strcmp(probe, exchange->operation->name) == 0; }\n", "ask the table of operations"),
    "src/http/long.c": ("int x;\n" * (LINES_MAX + 1), "split it by purpose"),
}
FAULTLESS = {
    "include/latchstring.h": "#include <stdint.h>\n" + "int x;\n" * (LINES_MAX + 1),
    "sigv4/hash.h": '#include "latchstring.h"\n#include <nettle/sha2.h>\n',
    "src/base/base.h": '#include "latchstring.h"\n#include <pthread.h>\n',
    "src/s3/s3.h": '#include "base/base.h"\n#include <expat.h>\n',
    "src/s3/table.c": "bool f(void) { return row->run == NULL; }\n",
    "src/store/store.h": '#include "base/base.h" /* not strcpy(a, b), nor "sprintf(" */\n'
                         "LST_MUST_CHECK int lst_x_open(void);\nint lst_slice_compare(int a);\n",
    "src/server/server.c": '#include "s3/s3.h"\nvoid f(void) { queue->gets(1); lst_gets(2); }\n',
}


def self_test():
    """What the check itself gets wrong: an empty list if it works."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in [*FAULTLESS.items(), *((p, t) for p, (t, _) in FAULTY.items())]:
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found = check_tree(root)
    wrong = [f"the check passed over {path} ({fault})" for path, (_, fault) in FAULTY.items()
             if not any(line.startswith(path + ":") and fault in line for line in found)]
    wrong += [f"the check found a fault where none is: {line}" for line in found
              if line.split(":")[0] in FAULTLESS]
    return wrong


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    faults = self_test() + check_tree(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
