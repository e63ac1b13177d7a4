"""`make install` and `make uninstall`, and `make` on a machine that lacks packages."""

import os
import subprocess

import pytest

ROOT = os.environ.get("LST_ROOT")
pytestmark = pytest.mark.skipif(not ROOT, reason="LST_ROOT does not name the project's folder")

PROGRAM = """
#include <latchstring.h>
int main(void)
{
    struct lst_key key;
    return lst_key_init(&key, LST_SLICE("secret"), 0, LST_SLICE("us-east-1"), LST_SLICE("s3"));
}
"""


def make(target, stage, *arguments):
    environment = {**os.environ, "DESTDIR": str(stage)}
    environment.pop("MAKEFLAGS", None)
    return subprocess.run(["make", "--no-print-directory", "-C", ROOT, target, *arguments],
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture(name="stage")
def installed(tmp_path):
    """A folder with everything installed in it, as a package's build does."""
    done = make("install", tmp_path / "stage")
    assert done.returncode == 0, done.stdout
    yield tmp_path / "stage"
    make("uninstall", tmp_path / "stage")


def test_a_program_finds_the_installed_library(stage, tmp_path):
    folder = next(stage.rglob("latchstring.pc")).parent
    environment = {**os.environ, "PKG_CONFIG_PATH": str(folder), "PKG_CONFIG_SYSROOT_DIR": str(stage)}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "latchstring"], env=environment,
                           stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    (tmp_path / "program.c").write_text(PROGRAM)
    subprocess.run(["cc", "program.c", *flags, "-o", "program"], cwd=tmp_path, check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder.parent)}
    assert subprocess.run([tmp_path / "program"], env=environment, check=False).returncode == 0


def test_uninstall_removes_what_install_put_there(stage):
    assert "usr/local/bin/latchstring" in files(stage)
    done = make("uninstall", stage)
    assert done.returncode == 0, done.stdout
    assert files(stage) == []


def test_uninstall_keeps_settings_that_were_changed(stage):
    settings = stage / "etc" / "latchstring.conf"
    settings.write_text("listen = :9001\n")
    done = make("uninstall", stage)
    assert "Kept" in done.stdout
    assert files(stage) == ["etc/latchstring.conf"]


def test_each_install_goes_under_the_prefix_that_it_names(stage, tmp_path):
    """The build remembers the prefix of the last one; no other is written to, or removed."""
    other = tmp_path / "other"
    before = files(stage)
    done = make("install", other, "PREFIX=/opt/latch")
    assert done.returncode == 0, done.stdout
    assert "opt/latch/bin/latchstring" in files(other)
    assert not [name for name in files(other) if name.startswith("usr/")]
    assert "prefix=/opt/latch\n" in next(other.rglob("latchstring.pc")).read_text()
    assert "=/opt/latch/bin/latchstring" in next(other.rglob("latchstring.service")).read_text()
    assert "make uninstall PREFIX=/opt/latch" in done.stdout
    assert make("uninstall", other, "PREFIX=/opt/latch").returncode == 0
    assert files(other) == []
    assert files(stage) == before


def test_a_prefix_that_is_not_absolute_is_refused(tmp_path):
    done = make("install", tmp_path, "PREFIX=here")
    assert done.returncode != 0
    assert "absolute path" in done.stdout
    assert files(tmp_path) == []


def test_plain_make_names_missing_packages_and_asks_for_no_root(tmp_path):
    """With a dpkg-query that knows of no package, and programs that would install them."""
    called = tmp_path / "called"
    for name, text in (("dpkg-query", "exit 1"), ("apt-get", f"touch {called}"),
                       ("sudo", f"touch {called}")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["make", "--no-print-directory", "-C", ROOT, f"BUILD={tmp_path}/build"],
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode != 0
    assert "make deps" in done.stdout and "liblmdb-dev" in done.stdout
    assert not called.exists()
