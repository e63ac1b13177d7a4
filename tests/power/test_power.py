"""Power cuts: what was acknowledged survives them, and every folder opens. README.md says how."""
import os

import images
import power
import pytest
import recording as rec

IS_LONG = os.environ.get("LST_FULL") == "1"
RECORDINGS, IMAGES, SECONDS = (100, 100, 6) if IS_LONG else (1, 150, 6)

needs_fuse = pytest.mark.skipif(
    os.geteuid() != 0 or not os.access("/dev/fuse", os.W_OK) or not os.path.exists(os.path.join(power.PROGRAMS, "recorder")),
    reason="needs root, /dev/fuse and libfuse3-dev")


@needs_fuse
@pytest.mark.timeout(3600)  # some 40 seconds where the machine is idle
@pytest.mark.parametrize("seed", range(1, RECORDINGS + 1))
def test_power_cuts(seed):
    faults = power.run(1, IMAGES, seed, seconds=SECONDS)
    assert not faults, faults


@needs_fuse
@pytest.mark.timeout(3600)
def test_the_first_start(tmp_path):
    """At every moment of it: the folder opens afterwards, and is as good as new."""
    path = str(tmp_path / "recording")
    power.record(path, 1, 0)
    events = rec.read(path)
    failures = power.check(path, [(position, seed) for position in range(len(events) + 1) for seed in range(2)], workers=2)
    assert not failures, power.tell(path, failures)


@needs_fuse
def test_a_server_that_does_not_sync_is_found_out(tmp_path):
    path = str(tmp_path / "recording")
    power.record(path, 1, 2, LST_POWER_LIE="1")
    events = rec.read(path)
    assert power.check(path, [(len(events), seed) for seed in range(4)])


class Scene:
    """A disk with one folder, which events happen to."""

    def __init__(self):
        self.disk, self.syncs = images.Disk(), 0
        self.do(rec.MAKE_FOLDER, 1, 3, name="data")
        self.sync(1)

    def do(self, kind, *numbers, name="", other="", data=b""):
        self.disk.play(rec.Event(kind, name, other, data, (*numbers, 0, 0, 0, 0)[:4]))

    def write(self, node, offset, data):
        self.do(rec.WRITE, node, offset, data=data)

    def sync(self, node):
        self.syncs += 1
        self.do(rec.SYNC_BEGIN, node, self.syncs)
        self.do(rec.SYNC_END, node, self.syncs)

    def found(self, folder, count=200):
        """What the images of many seeds hold: by each image, the content by name."""
        kinds = set()
        folder.mkdir(exist_ok=True)
        for seed in range(count):
            place = folder / str(seed)
            self.disk.image(seed, str(place))
            data = place / "data"
            kinds.add(tuple(sorted((path.name, path.read_bytes()) for path in data.iterdir())))
        return kinds


def test_what_was_synced_stays(tmp_path):
    scene = Scene()
    scene.do(rec.CREATE, 3, 4, name="file")
    scene.write(4, 0, b"old!")
    scene.sync(4)
    assert scene.found(tmp_path / "a") == {(), (("file", b"old!"),)}, "the name was not synced"
    scene.sync(3)
    assert scene.found(tmp_path / "b") == {(("file", b"old!"),)}
    scene.write(4, 0, b"new!")
    scene.do(rec.SYNC_BEGIN, 4, 99)
    scene.write(4, 4, b"more")
    scene.do(rec.SYNC_END, 4, 99)
    both = scene.found(tmp_path / "c")
    assert {content[0][1] for content in both} == {b"new!", b"new!more", b"new!\0\0\0\0"}, "what came during the sync is open"


def test_a_rename_is_whole(tmp_path):
    scene = Scene()
    scene.do(rec.CREATE, 3, 4, name="file")
    scene.do(rec.CREATE, 3, 5, name="file.new")
    scene.write(4, 0, b"old")
    scene.write(5, 0, b"new")
    scene.sync(0)
    scene.do(rec.RENAME, 3, 3, 5, name="file.new", other="file")
    assert scene.found(tmp_path) == {(("file", b"old"), ("file.new", b"new")), (("file", b"new"),)}


def test_writes_are_torn_and_reordered(tmp_path):
    scene = Scene()
    scene.do(rec.CREATE, 3, 4, name="file")
    scene.write(4, 0, b"a" * 16384)
    scene.sync(0)
    scene.write(4, 0, b"b" * 8192)
    scene.write(4, 8192, b"c" * 8192)
    contents = [dict(image)["file"] for image in scene.found(tmp_path)]
    assert {len(content) for content in contents} == {16384}
    assert any(b"c" in content and b"b" not in content for content in contents), "the second write alone"
    assert any(content[:512] != content[512:1024] for content in contents), "torn within a page"
    assert all(len(set(content[start:start + 512])) == 1 for content in contents for start in range(0, 16384, 512))


def test_a_link_is_one_file(tmp_path):
    scene = Scene()
    scene.do(rec.CREATE, 3, 4, name="file")
    scene.do(rec.LINK, 3, 4, name="other")
    scene.write(4, 0, b"content")
    scene.sync(0)
    scene.do(rec.UNLINK, 3, 4, name="file")
    assert scene.found(tmp_path) == {(("file", b"content"), ("other", b"content")), (("other", b"content"),)}
