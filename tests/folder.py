#!/usr/bin/env python3
"""A folder of mixed files, the same each time, and the comparison of two folders byte for byte.

    tests/folder.py make DIR            some 150 files of 31 MiB in all, one of 5 MiB + 1, one of 20 MiB
    tests/folder.py make --full DIR     10,000 files of some 300 MiB, two of them of 100 MiB
    tests/folder.py compare DIR OTHER   says what differs; exit status 1 if anything does
    tests/folder.py remove DIR NAME...  those files, if they are there: what a client can't represent

Every name is valid UTF-8 and, as a key, has at most 1,024 bytes. Every file has a time of its own.
"""
import argparse
import os
import random
import sys
import unicodedata

MIB = 1 << 20
COUNT = {"small": 150, "full": 10_000}
LARGE = {"small": (20 * MIB,), "full": (100 * MIB, 100 * MIB)}
FIRST_TIME = 1_000_000_000  # of the files, in seconds: September 2001

NFC = unicodedata.normalize("NFC", "Ångström café.txt")
NFD = unicodedata.normalize("NFD", NFC)
NEWLINE, TAB = "line\nbreak.txt", "tab\there.txt"

# What has bitten some client or server, each name once. Other control characters have no place in XML 1.0, which not
# every client avoids. Long names leave room for the nine bytes that boto3 adds to a name while it downloads (it cuts
# at 255 characters, where file systems count bytes).
ODD = [
    NFC, NFD, NEWLINE, TAB, "back\\slash.txt",
    "plain.txt", "UPPER.TXT", "upper.txt", "no extension", ".hidden", "..two dots", "...", "dot at end.",
    " space before", "space after ", "two  spaces", "plus+plus.txt", "plus + space.txt", "%", "%2F", "%25",
    "100% sure.txt", "a%20b.txt", "a b.txt", "a+b.txt", "%C3%A9.txt", "ampersand&amp;.txt", "a&b=c&d.txt",
    "#hash#.txt", "question?mark=1.txt", "single'quote.txt", "double\"quote.txt", "`backtick`", "<tag>.xml",
    "]]>.xml", "semi;colon", "comma,comma", "colon:colon", "at@sign", "dollar$HOME", "tilde~", "~", "caret^",
    "pipe|pipe", "star*.txt", "[brackets].txt", "{braces}.txt", "(parentheses).txt", "equals=", "-", "--help",
    "-rf", "_", "exclamation!.txt", "$(echo no)", "x-amz-meta-mtime", "index.html", "uploads", "?uploads",
    "日本語.txt", "العربية.txt", "Ελληνικά.txt", "한국어.txt", "emoji 😀👩‍👩‍👧.png", "\u00a0nbsp", "zero\u200bwidth",
    "\ufeffmark.txt", "ｆｕｌｌｗｉｄｔｈ", "İstanbul ı.txt", "ß and ẞ", "\U0010fffd", "\ufffd", "a" * 255,
    "ü" * 120, "😀" * 60, "folder/inside.txt", "folder.txt", "folder-/inside", "folder /inside", "folder0",
    "+plus/+plus+", "a%2Fb/%2F", "#/#", "a&b/c&d", ".git/config", ".a/.b/.c", "ä/ö/ü.txt", "Ä/ö/ü.txt", " / ",
    "'/\"", "deep/" + "/".join("abcdefghijklmnopqrst") + "/leaf", "d/" * 60 + "leaf",
    "/".join(("long " + "x" * 195, "y" * 200, "z" * 200, "leaf " + "w" * 195)),
]
EMPTY, ONE_BYTE = ("empty", "folder/empty", "also empty.txt"), ("one", "folder/one byte")


def sizes(size):
    """{name: bytes} of every file of the folder "small" or "full"."""
    chance = random.Random(f"Latchstring {size}")
    found = {name: chance.randrange(2, 3000) for name in ODD}
    found.update((name, 0) for name in EMPTY)
    found.update((name, 1) for name in ONE_BYTE)
    found["five MiB and 1.bin"] = 5 * MIB + 1
    found["five MiB.bin"] = 5 * MIB
    for i, length in enumerate(LARGE[size]):
        found[f"large {i}.bin"] = length
    letters = "abcdefgxyz0189-_.+ %äé\u0301ñ日&#'"
    while len(found) < COUNT[size]:
        depth = chance.choice((0, 0, 1, 1, 1, 2, 3))
        parts = [f"part {chance.randrange(12)}" for _ in range(depth)]
        word = "".join(chance.choice(letters) for _ in range(chance.randrange(1, 30)))
        found["/".join((*parts, f"{word}{len(found)}"))] = int(2 ** chance.uniform(0, 16))
    return found


def make(folder, size):
    """Make it, in a folder that is not there yet or is empty. {name: bytes}"""
    found = sizes(size)
    for i, (name, length) in enumerate(found.items()):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        chance = random.Random(name)
        with open(path, "xb") as file:
            for start in range(0, length, MIB):
                file.write(chance.randbytes(min(MIB, length - start)))
        nanoseconds = (FIRST_TIME + i * 3607) * 10**9 + i * 1_000_003 % 10**9
        os.utime(path, ns=(nanoseconds, nanoseconds))
    return found


def names_in(folder):
    """The names of all files below it, as paths from it; a folder without a file is none."""
    return {os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder) for name in names}


def same_bytes(path, other):
    with open(path, "rb") as left, open(other, "rb") as right:
        while True:
            piece = left.read(MIB)
            if piece != right.read(MIB):
                return False
            if not piece:
                return True


def compare(folder, other, without=(), times=None):
    """What differs, as a list of sentences: empty if they are equal. without: names that are in the
    first alone. times: how far apart the files' times may be, in nanoseconds; None: not compared."""
    left, right = names_in(folder) - set(without), names_in(other)
    faults = [f"missing: {name!r}" for name in sorted(left - right)]
    faults += [f"too many: {name!r}" for name in sorted(right - left)]
    for name in sorted(left & right):
        path, twin = os.path.join(folder, name), os.path.join(other, name)
        if not same_bytes(path, twin):
            faults.append(f"other bytes: {name!r} ({os.path.getsize(path)}, {os.path.getsize(twin)})")
        apart = os.stat(path).st_mtime_ns - os.stat(twin).st_mtime_ns
        if times is not None and abs(apart) > times:
            faults.append(f"other time: {name!r}, {apart} ns apart")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("make", "compare", "remove"))
    parser.add_argument("folder")
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "make":
        made = make(arguments.folder, "full" if arguments.full else "small")
        print(f"{len(made)} files, {sum(made.values())} bytes")
    elif arguments.what == "remove":
        for name in set(arguments.rest) & names_in(arguments.folder):
            os.remove(os.path.join(arguments.folder, name))
    else:
        faults = compare(arguments.folder, *arguments.rest)
        print("\n".join(faults) or "equal")
        return 1 if faults else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
