# Runs on MicroPython too, which has neither pathlib nor pytest.
"""The file system that a bundle is mounted as."""

from tests.firmware.unit.update_release import FILES, bundle, new_root
from update.bundle_files import BundleFiles
from update.bundle_index import index_of


def files(data):
    """The files of a bundle."""
    path = new_root() + "/a.bundle"
    with open(path, "wb") as file:
        file.write(data)
    return BundleFiles(path, index_of(path))


def missing(call, *arguments):
    """Whether a call says that there is no such file."""
    try:
        call(*arguments)
    except OSError as error:
        return error.args[0] == 2
    return False


def test_open_stands_at_the_first_byte_of_each_file():
    mounted = files(bundle()[1])
    for path, content in FILES.items():
        file = mounted.open("/" + path, "rb")
        assert file.read(len(content)) == content, path
        file.close()


def test_files_and_folders_are_told_apart_and_from_what_is_not_there():
    mounted = files(bundle(signature=b"")[1])
    for path in FILES:
        assert mounted.stat("/" + path)[0] == 0x8000
    for path in ("/", "/lib", "/lib/deep"):
        assert mounted.stat(path)[0] == 0x4000
    for path in ("/app", "/app.py", "/lib/big", "/lib/app.mpy", "/deep", "/nix"):
        assert missing(mounted.stat, path), path
        assert missing(mounted.open, path, "rb"), path


def test_it_takes_eight_bytes_for_each_file_and_folder():
    path = new_root() + "/a.bundle"
    with open(path, "wb") as file:
        file.write(bundle()[1])
    assert len(index_of(path)) == 8 * (len(FILES) + 3)
