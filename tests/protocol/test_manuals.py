"""The man pages, --help and the completion name the same options and commands."""

import os
import re
import subprocess

import pytest

BINARY = os.environ.get("LST_BINARY")
ROOT = os.environ.get("LST_ROOT")
pytestmark = pytest.mark.skipif(not (BINARY and ROOT), reason="LST_BINARY and LST_ROOT are not set")

COMMON = {"--help", "--version"}


def help_of(*command, flag="--help"):
    done = subprocess.run([BINARY, *command, flag], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def subcommands(text):
    found = re.search(r"^Commands:\n((?:  .*\n)+)", text, re.MULTILINE)
    return re.findall(r"^  ([a-z][a-z-]*) ", found.group(1), re.MULTILINE) if found else []


def options(text):
    return set(re.findall(r"^  (--[a-z0-9-]+)", text, re.MULTILINE))


def walk(command=()):
    """Every command with its help."""
    text = help_of(*command)
    yield command, text
    for name in subcommands(text):
        yield from walk((*command, name))


COMMANDS = dict(walk()) if BINARY else {}


def manual_text(command):
    """The page of the command's first word, without mdoc's marks."""
    name = "latchstring" + (f"-{command[0]}" if command else "")
    with open(os.path.join(ROOT, "docs", "man", f"{name}.1"), encoding="utf-8") as file:
        return file.read()


def manual_options(page):
    """.Fl -expires-in, .Op Fl -json, and --option in running text."""
    return {"--" + name for name in re.findall(r"Fl -([a-z0-9][a-z0-9-]*)", page)} | set(re.findall(r"--[a-z0-9][a-z0-9-]*", page))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_option_is_in_the_manual(command):
    missing = options(COMMANDS[command]) - COMMON - manual_options(manual_text(command))
    assert not missing


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_manual(command):
    page = manual_text(command)
    for name in subcommands(COMMANDS[command]):
        assert re.search(rf"\b{re.escape(name)}\b", page), f"{' '.join(command)} {name}"


@pytest.mark.parametrize("first", sorted({command[0] for command in COMMANDS if command}))
def test_the_manual_names_no_option_that_is_not_there(first):
    known = set().union(*(options(text) for command, text in COMMANDS.items() if command[:1] == (first,)))
    page = manual_text((first,))
    named = {"--" + name for name in re.findall(r"^\.It Fl -([a-z0-9][a-z0-9-]*)", page, re.MULTILINE)}
    assert named - known - COMMON == set()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_h_is_help(command):
    assert help_of(*command, flag="-h") == COMMANDS[command]


def complete(*words):
    script = """
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _latchstring
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = os.path.join(ROOT, "packaging", "completion", "latchstring.bash")
    done = subprocess.run(["bash", "-c", script, "bash", path, BINARY, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_completion_offers_every_option_and_command(command):
    assert options(COMMANDS[command]) <= complete(*command, "--")
    if subcommands(COMMANDS[command]):
        assert set(subcommands(COMMANDS[command])) <= complete(*command, "")


# ---- The programs of latchstring(3)

@pytest.fixture(name="programs", scope="module")
def _programs(tmp_path_factory):
    """The manual's examples, compiled as a reader would."""
    folder = tmp_path_factory.mktemp("programs")
    build = os.path.dirname(os.path.dirname(os.path.dirname(BINARY)))
    with open(os.path.join(ROOT, "docs", "man", "latchstring.3"), encoding="utf-8") as file:
        page = file.read()
    made = []
    for number, text in enumerate(re.findall(r"^\.Bd -literal\n(#include.*?)^\.Ed$", page, re.MULTILINE | re.DOTALL)):
        source = folder / f"{number}.c"
        source.write_text(text.replace("\\e", "\\"))
        done = subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-I", os.path.join(ROOT, "include"), source,
                               os.path.join(build, "sigv4", "liblatchstring.a"), "-lnettle", "-o", folder / str(number)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made.append(folder / str(number))
    return made


def test_the_manuals_programs_sign_and_check(programs):
    sign, check = programs
    url = subprocess.run([sign], capture_output=True, text=True, check=True).stdout.strip()
    host, target = re.fullmatch(r"https://([^/]+)(/.*)", url).groups()
    done = subprocess.run([check, host, target], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "signed by AKIAIOSFODNN7EXAMPLE\n")
    for changed, code in ((target.replace("cat", "dog"), "SignatureDoesNotMatch"), (target.replace("AKIAIOSFODNN7EXAMPLE", "AKIAOTHER"), "InvalidAccessKeyId"),
                          ("/cat.jpg", "AccessDenied")):
        done = subprocess.run([check, host, changed], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stdout.startswith(f"403 {code}: ")
