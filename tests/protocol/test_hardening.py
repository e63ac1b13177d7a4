"""What was built is hardened as docs/security.md says: read back from the program and from the shared library."""
import json
import os
import platform
import re
import subprocess

import pytest

RELEASE = os.path.dirname(os.path.abspath(os.environ.get("LST_RELEASE", "build/latchstring")))
FILES = {"program": os.path.join(RELEASE, "latchstring"), "library": os.path.join(RELEASE, "liblatchstring.so")}
# A function of each that is called from outside.
ENTRIES = {"program": "main", "library": "lst_presign"}

only_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the bytes of these instructions are x86's")


def readelf(name, *options):
    done = subprocess.run(["readelf", "--wide", *options, FILES[name]], stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout


def imports(name):
    return set(re.findall(r"\bUND (\w+)", readelf(name, "--dyn-syms")))


def code(name):
    """The bytes of .text, and the address of the first."""
    found = re.search(r"\.text +PROGBITS +([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+)", readelf(name, "--sections"))
    address, offset, size = (int(number, 16) for number in found.groups())
    with open(FILES[name], "rb") as file:
        file.seek(offset)
        return file.read(size), address


@pytest.mark.parametrize("name", FILES)
def test_is_loaded_at_an_address_of_chance(name):
    assert "Type:                              DYN" in readelf(name, "--file-header")
    assert name == "library" or re.search(r"FLAGS_1.*\bPIE\b", readelf(name, "--dynamic"))


@pytest.mark.parametrize("name", FILES)
def test_its_tables_are_read_only_before_it_runs(name):
    assert "GNU_RELRO" in readelf(name, "--program-headers")
    assert re.search(r"FLAGS.*\b(BIND_NOW|NOW)\b", readelf(name, "--dynamic"))


@pytest.mark.parametrize("name", FILES)
def test_no_memory_is_both_written_and_run(name):
    headers = readelf(name, "--program-headers")
    assert re.search(r"GNU_STACK +(0x\w+ +){5}RW +", headers)
    assert not re.search(r"LOAD +(0x\w+ +){5}RWE", headers)
    assert "TEXTREL" not in readelf(name, "--dynamic")


@pytest.mark.parametrize("name", FILES)
def test_an_overrun_stack_buffer_is_noticed(name):
    assert "__stack_chk_fail" in imports(name)


@pytest.mark.parametrize("name", FILES)
def test_the_c_library_checks_sizes(name):
    assert {"__memmove_chk", "__memcpy_chk"} & imports(name)


def test_the_c_library_checks_sizes_at_the_highest_level():
    with open(os.path.join(RELEASE, "release", "compile_commands.json"), encoding="utf-8") as file:
        commands = [entry["command"] for entry in json.load(file)]
    assert commands
    for command in commands:
        assert re.findall(r"-[DU]_FORTIFY_SOURCE\S*", command)[-1] == "-D_FORTIFY_SOURCE=3", command


@only_x86
@pytest.mark.parametrize("name", FILES)
def test_indirect_calls_land_where_a_function_begins(name):
    found = re.search(rf"^ *\d+: ([0-9a-f]+) .* {ENTRIES[name]}$", readelf(name, "--symbols"), re.MULTILINE)
    text, address = code(name)
    start = int(found.group(1), 16) - address
    assert text[start:start + 4] == b"\xf3\x0f\x1e\xfa"  # endbr64


@only_x86
@pytest.mark.parametrize("name", FILES)
def test_a_large_stack_frame_touches_every_page(name):
    assert b"\x48\x83\x0c\x24\x00" in code(name)[0]  # orq $0, (%rsp)
