"""restic: a backup of the mixed folder comes back as it was, also after forgetting and pruning."""
import json
import os
import shutil

from folder import compare
from tools import Restic


def backup_and_restore(restic, mixed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(mixed, copy)
    restic.run("init")
    restic.run("backup", ".", cwd=copy)
    os.remove(copy / "plain.txt")
    (copy / "new.txt").write_text("new")
    os.utime(copy / "new.txt", ns=(10**18 + 7, 10**18 + 7))
    restic.run("backup", ".", cwd=copy)
    restic.run("check", "--read-data")
    snapshots = json.loads(restic.run("snapshots", "--json").out)
    assert len(snapshots) == 2
    for snapshot, was in zip(sorted(snapshots, key=lambda each: each["time"]), (mixed, copy)):
        target = tmp_path / snapshot["short_id"]
        restic.run("restore", snapshot["short_id"], "--target", target)
        assert compare(was, target, times=0) == []
        shutil.rmtree(target)
    restic.run("forget", "--keep-last", "1", "--prune")
    restic.run("check", "--read-data")
    assert len(json.loads(restic.run("snapshots", "--json").out)) == 1
    restic.run("restore", "latest", "--target", tmp_path / "last")
    assert compare(copy, tmp_path / "last", times=0) == []


def test_backup_and_restore(fast, mixed, tmp_path):
    backup_and_restore(Restic(fast, tmp_path), mixed, tmp_path)


def test_locks_and_wrong_passwords(server, tmp_path):
    restic = Restic(server, tmp_path)
    (tmp_path / "file").write_text("kept")
    restic.run("init")
    assert "already" in restic.run("init", status=1).err
    restic.run("backup", "file")
    assert "wrong password" in restic.run("snapshots", status=1, RESTIC_PASSWORD="another").err
    restic.run("unlock")
    assert restic.run("dump", "latest", "/file").bytes == b"kept"
    assert restic.run("list", "locks").out.strip() == ""


def test_https_with_a_private_authority(secure, authority, tmp_path):
    restic = Restic(secure, tmp_path, authority / "ca.pem")
    (tmp_path / "file").write_bytes(os.urandom(3 << 20))
    restic.run("init")
    restic.run("backup", "file")
    restic.run("check", "--read-data")
    assert restic.run("dump", "latest", "/file").bytes == (tmp_path / "file").read_bytes()
    assert "certificate" in Restic(secure, tmp_path).run("snapshots", "--no-cache", status=1).err
