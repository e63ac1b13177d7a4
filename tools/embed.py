#!/usr/bin/env python3
"""Write a JSON file, without its white space, as a C array: embed.py IN.json OUT.c NAME"""
import json
import sys


def main():
    source, target, name = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = json.dumps(json.load(file), separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    lines = [", ".join(str(byte) for byte in text[i:i + 24]) for i in range(0, len(text), 24)]
    with open(target, "w", encoding="utf-8") as file:
        file.write(f"/* Made from {name}.json. */\n#include \"api/{name}.h\"\n\n"
                   f"const char lst_{name}_text[] = {{\n    " + ",\n    ".join(lines) + "};\n"
                   f"const unsigned long lst_{name}_length = sizeof(lst_{name}_text);\n")


if __name__ == "__main__":
    main()
