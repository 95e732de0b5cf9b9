"""Importing pictures: what is kept is right, what is skipped is listed, what is dangerous is refused."""

from __future__ import annotations

import io
import itertools
import os
import random
import struct
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from ganplay import paths
from ganplay.data import datasets, importing, resident, sources
from ganplay.data.decoding import decode, open_picture
from ganplay.data.pictures import Pictures, delete_pictures, import_pictures, picture_sets


def picture(colour=(200, 30, 30), size=(20, 20), form="PNG", mode="RGB", **options):
    """The bytes of a plain picture."""
    target = io.BytesIO()
    Image.new(mode, size, colour).save(target, form, **options)
    return target.getvalue()


def pack(path, members, compression=zipfile.ZIP_DEFLATED):
    """A zip of `members`, names to bytes."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def several(count=20, folder="", **options):
    return {f"{folder}{index:02}.png": picture(**options) for index in range(count)}


@pytest.fixture
def nothing_written(home):
    """Fails when a refused import left anything in the home folder."""
    yield
    assert not [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]


# What is kept


def test_a_zip_becomes_a_set_that_trains(tmp_path):
    members = {f"{index:02}.png": picture((index, 0, 255)) for index in range(40)}
    report = import_pictures(pack(tmp_path / "mine.zip", members), "mine")
    assert (report.name, report.count, report.class_names, report.skipped) == ("mine", 40, (), ())
    train = resident.load(Pictures(name="mine"), (3, 32, 32))
    test = resident.load(Pictures(name="mine"), (3, 32, 32), "test")
    assert test.values[:, 0, 9, 9].tolist() == [9, 19, 29, 39] and len(train) == 36
    assert train.values.shape == (36, 3, 32, 32) and set(train.labels.tolist()) == {0}
    assert resident.load(Pictures(name="mine"), (1, 28, 28)).batch(torch.arange(2))[0].shape == (2, 1, 28, 28)


def test_a_folder_gives_the_same_set_as_its_zip(tmp_path):
    members = several(10, "cats/", colour=(9, 9, 9)) | several(10, "dogs/", colour=(90, 9, 9))
    for name, content in members.items():
        (tmp_path / "animals" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "animals" / name).write_bytes(content)
    zipped = import_pictures(pack(tmp_path / "animals.zip", members), "zipped")
    unzipped = import_pictures(tmp_path / "animals", "unzipped")
    assert zipped.class_names == unzipped.class_names == ("cats", "dogs")
    first, second = (resident.load(Pictures(name=name), (3, 20, 20)) for name in ("zipped", "unzipped"))
    assert torch.equal(first.values, second.values) and torch.equal(first.labels, second.labels)


@pytest.mark.parametrize("root", ["", "animals/", "a/b/"])
def test_subfolders_are_classes_and_can_be_filtered(root, tmp_path):
    members = several(12, root + "cat/", colour="black") | several(8, root + "dog, wet/", colour="white")
    report = import_pictures(pack(tmp_path / "mine.zip", members), "mine")
    assert report.class_names == ("cat", "dog wet") == Pictures(name="mine").class_names
    dogs = resident.load(Pictures(name="mine", classes=("dog wet",)), (3, 20, 20))
    assert dogs.values.min() == 255 and dogs.labels.unique().tolist() == [0] and dogs.class_names == ("dog wet",)
    with pytest.raises(ValueError, match="cat, dog wet"):
        resident.load(Pictures(name="mine", classes=("horse",)), (3, 20, 20))


def test_one_subfolder_is_no_class(tmp_path):
    report = import_pictures(pack(tmp_path / "mine.zip", several(16, "all/") | several(2)), "mine")
    assert (report.class_names, report.count) == ((), 18)


def test_pictures_beside_the_class_folders_are_listed_as_skipped(tmp_path):
    members = several(8, "cat/") | several(8, "dog/") | {"cover.png": picture()}
    report = import_pictures(pack(tmp_path / "mine.zip", members), "mine")
    assert report.count == 16 and report.skipped == (("cover.png", "outside the class folders"),)


def test_the_stored_side_is_the_largest_short_side_up_to_64(tmp_path):
    small = import_pictures(pack(tmp_path / "a.zip", several(15) | {"wide.png": picture(size=(90, 31))}), "small")
    large = import_pictures(pack(tmp_path / "b.zip", several(16, size=(200, 100))), "large")
    assert small.count == large.count == 16
    sides = [np.load(paths.pictures_folder() / name / "pictures.npy").shape for name in ("small", "large")]
    assert sides == [(16, 3, 31, 31), (16, 3, 64, 64)]


# Decoding


def test_the_middle_square_is_kept():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    target = io.BytesIO()
    Image.fromarray(wide).save(target, "PNG")
    assert decode(target.getvalue()).shape == (10, 10, 3) and decode(target.getvalue()).min() == 255


def test_a_photograph_is_turned_upright():
    photograph = Image.new("RGB", (16, 16), "black")
    photograph.paste("white", (0, 0, 16, 8))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned 90 degrees clockwise: what is above comes to the right
    target = io.BytesIO()
    photograph.save(target, "PNG", exif=exif)
    upright = decode(target.getvalue())
    assert upright[:, 12:].min() == 255 and upright[:, :4].max() == 0


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_transparent_pictures_lie_on_white(form):
    clear = picture((10, 20, 30, 0), form=form, mode="RGBA")
    assert decode(clear).min() == 255


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("white", "black", "black")]
    target = io.BytesIO()
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    assert decode(target.getvalue()).min() == 255


@pytest.mark.parametrize(("form", "value", "expected"), [("PNG", 65_535, 255), ("PNG", 32_896, 128), ("TIFF", 257, 1)])
def test_grey_of_sixteen_bits_is_scaled(form, value, expected):
    target = io.BytesIO()
    Image.fromarray(np.full((16, 16), value, np.uint16)).save(target, form)
    assert np.unique(decode(target.getvalue())).tolist() == [expected]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode):
    form = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(picture(0, mode=mode, form=form)).shape == (20, 20, 3)


def test_a_large_photograph_keeps_its_colour():
    assert np.abs(decode(picture((200, 30, 30), (1500, 900), "JPEG", quality=95)).astype(int) - [200, 30, 30]).max() < 6


# What is skipped


def test_broken_and_foreign_files_are_skipped_and_listed(tmp_path):
    good = picture((1, 2, 3), (40, 40))
    noise = random.Random(0).randbytes(5_000)
    members = several(16) | {
        "cut.png": good[:-30],
        "notes.txt": b"hello",
        "drawing.svg": b"<svg/>",
        "noise.jpg": noise,
        "empty.png": b"",
        "tiny.png": picture(size=(1, 1)),
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n",
    }
    report = import_pictures(pack(tmp_path / "mine.zip", members), "mine")
    reasons = dict(report.skipped)
    assert report.count == 16 and set(reasons) == set(members) - set(several(16))
    assert reasons["cut.png"].startswith("broken") and reasons["tiny.png"].startswith("1 x 1")
    assert all("not a picture" in reasons[name] for name in ("notes.txt", "drawing.svg", "noise.jpg", "script.eps"))


def test_a_picture_of_too_many_pixels_is_skipped_before_it_is_decoded(tmp_path):
    header = picture(size=(8, 8), mode="L", colour=0)
    place = header.index(b"IHDR") + 4
    for width, height in ((8_000, 8_000), (60_000, 60_000)):
        ihdr = b"IHDR" + struct.pack(">II", width, height) + header[place + 8 : place + 13]
        huge = header[: place - 4] + ihdr + struct.pack(">I", zipfile.crc32(ihdr)) + header[place + 17 :]
        report = import_pictures(pack(tmp_path / "mine.zip", several(16) | {"huge.png": huge}), f"mine{width}")
        assert report.skipped[0][0] == "huge.png" and "megapixels" in report.skipped[0][1] and report.count == 16


def test_what_operating_systems_leave_behind_is_ignored_silently(tmp_path):
    litter = {
        "__MACOSX/._a.png": b"x",
        ".DS_Store": b"x",
        "a/Thumbs.db": b"x",
        ".git/config": b"x",
        "desktop.ini": b"x",
    }
    report = import_pictures(pack(tmp_path / "mine.zip", several(16) | litter), "mine")
    assert report.count == 16 and report.skipped == () and report.class_names == ()


def test_a_member_with_a_wrong_checksum_is_skipped(tmp_path):
    path = pack(tmp_path / "mine.zip", several(16) | {"zz.png": picture(size=(33, 33))}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[content.index(picture(size=(33, 33))) + 40] ^= 255
    path.write_bytes(content)
    report = import_pictures(path, "mine")
    assert report.count == 16 and [name for name, _ in report.skipped] == ["zz.png"]


def test_a_member_is_never_unpacked_beyond_the_size_its_header_states(tmp_path):
    path = pack(tmp_path / "mine.zip", several(16) | {"zz.png": bytes(50_000_000)})
    content = path.read_bytes().replace(struct.pack("<I", 50_000_000), struct.pack("<I", 1_000))
    path.write_bytes(content)
    with sources.open_members(path) as members:
        liar = next(member for member in members if member.path.name == "zz.png")
        assert liar.size == 1_000
        with pytest.raises(zipfile.BadZipFile):
            liar.read()


def test_a_file_that_is_too_long_is_skipped_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "FILE_BYTES", 5_000)
    path = pack(tmp_path / "mine.zip", several(16) | {"long.png": bytes(6_000)})
    assert [name for name, _ in import_pictures(path, "mine").skipped] == ["long.png"]


def test_unusual_compression_is_skipped(tmp_path):
    path = pack(tmp_path / "mine.zip", several(16))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("zz.png", picture())
    assert "compression" in dict(import_pictures(path, "mine").skipped)["zz.png"]


# What is refused


@pytest.mark.usefixtures("nothing_written")
class TestRefused:
    @pytest.mark.parametrize("count", [0, 1, 3, 15])
    def test_fewer_than_sixteen_pictures(self, count, tmp_path):
        with pytest.raises(ValueError, match=rf"holds {count} pictures?; at least 16 are needed"):
            import_pictures(pack(tmp_path / "mine.zip", several(count)), "mine")

    @pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "..\\x.png", "C:\\x.png", "C:/x.png"])
    def test_a_path_that_leads_out(self, name, tmp_path):
        with pytest.raises(ValueError, match="leads out"):
            import_pictures(pack(tmp_path / "mine.zip", several() | {name: picture()}), "mine")

    def test_a_symbolic_link_in_a_zip(self, tmp_path):
        path = pack(tmp_path / "mine.zip", several())
        link = zipfile.ZipInfo("link.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(link, "/etc/passwd")
        with pytest.raises(ValueError, match=r"symbolic link 'link\.png'"):
            import_pictures(path, "mine")

    @pytest.mark.parametrize("target", ["file", "folder"])
    def test_a_symbolic_link_in_a_folder(self, target, tmp_path):
        source, other = tmp_path / "source", tmp_path / "other"
        source.mkdir()
        other.mkdir()
        for name, content in several().items():
            (source / name).write_bytes(content)
            (other / name).write_bytes(content)
        try:
            os.symlink(other if target == "folder" else other / "00.png", source / "link", target == "folder")
        except OSError:
            pytest.skip("this system does not let us make links")
        with pytest.raises(ValueError, match="symbolic link 'link'"):
            import_pictures(source, "mine")

    def test_an_encrypted_zip(self, tmp_path):
        path = pack(tmp_path / "mine.zip", several())
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(content)
        with pytest.raises(ValueError, match="encrypted"):
            import_pictures(path, "mine")

    def test_a_zip_that_would_unpack_to_gigabytes(self, tmp_path):
        path = pack(tmp_path / "mine.zip", several(16) | {"zz.bin": bytes(77_777)})
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", 77_777), struct.pack("<I", 3_000_000_000)))
        with pytest.raises(ValueError, match=r"unpacks to 3\.0 GB; up to 2 GB"):
            import_pictures(path, "mine")

    def test_too_many_entries_whatever_the_count_in_the_zip_says(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sources, "MEMBERS", 30)
        path = pack(tmp_path / "mine.zip", several(40))
        content = bytearray(path.read_bytes())
        end = content.rindex(b"PK\x05\x06")
        content[end + 8 : end + 12] = b"\1\0\1\0"
        path.write_bytes(content)
        monkeypatch.setattr(sources.zipfile, "ZipFile", lambda *_: pytest.fail("the table of contents was read"))
        with pytest.raises(ValueError, match="more than 30 entries"):
            import_pictures(path, "mine")

    def test_a_zip64_archive(self, tmp_path):
        path = pack(tmp_path / "mine.zip", several())
        content = path.read_bytes()
        end = content.rindex(b"PK\x05\x06")
        path.write_bytes(content[:end] + b"PK\x06\x07" + bytes(16) + content[end:])
        with pytest.raises(ValueError, match="Zip64"):
            import_pictures(path, "mine")

    def test_too_many_pictures(self, tmp_path, monkeypatch):
        monkeypatch.setattr(importing, "MOST", 17)
        with pytest.raises(ValueError, match="20 pictures; up to 17"):
            import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")
        without_suffix = {name.removesuffix(".png"): content for name, content in several(20).items()}
        with pytest.raises(ValueError, match="more than 17 pictures"):
            import_pictures(pack(tmp_path / "mine.zip", without_suffix), "mine")

    def test_more_pixels_in_all_than_allowed(self, tmp_path, monkeypatch):
        decoded = []
        monkeypatch.setattr(importing, "TOTAL_PIXELS", 400 * 17)
        monkeypatch.setattr(
            importing, "pixels", lambda opened: decoded.append(opened) or np.zeros((20, 20, 3), np.uint8)
        )
        with pytest.raises(ValueError, match=r"more than 6\.8e-06 gigapixels.*fewer or smaller pictures\.$"):
            import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")
        assert len(decoded) == 17  # the first beyond the bound is not decoded

    def test_a_source_that_takes_too_long(self, tmp_path, monkeypatch):
        minutes = itertools.count()
        monkeypatch.setattr(importing, "monotonic", lambda: 60.0 * next(minutes))
        with pytest.raises(ValueError, match=r"takes too long \(5 of 20 files were read in 5 minutes\)"):
            import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")

    def test_a_set_beyond_the_bound_of_all_sets(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GANPLAY_PICTURES_GB", "0.00001")
        with pytest.raises(ValueError, match=r"'mine' does not fit.*0\.0 MB.*delete a set first"):
            import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")

    def test_a_bound_of_all_sets_that_is_no_number(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GANPLAY_PICTURES_GB", "much")
        with pytest.raises(ValueError, match=r"^GANPLAY_PICTURES_GB is 'much'; it must be a number of gigabytes"):
            import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")

    def test_a_zip_over_the_upload_limit(self, tmp_path, monkeypatch):
        monkeypatch.setenv("GANPLAY_UPLOAD_MB", "0.001")
        with pytest.raises(ValueError, match=r"up to 0\.001 MB"):
            import_pictures(pack(tmp_path / "mine.zip", several()), "mine")
        monkeypatch.setenv("GANPLAY_UPLOAD_MB", "lots")
        with pytest.raises(ValueError, match="GANPLAY_UPLOAD_MB is 'lots'"):
            import_pictures(tmp_path / "mine.zip", "mine")

    @pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x05\x06" + b"\xff" * 18])
    def test_what_is_no_zip(self, content, tmp_path):
        (tmp_path / "mine.zip").write_bytes(content)
        with pytest.raises(ValueError, match="zip"):
            import_pictures(tmp_path / "mine.zip", "mine")

    def test_a_zip_that_was_cut_off_anywhere(self, tmp_path):
        content = pack(tmp_path / "mine.zip", several()).read_bytes()
        for length in range(0, len(content), 97):
            (tmp_path / "cut.zip").write_bytes(content[:length])
            with pytest.raises(ValueError, match="zip"):
                import_pictures(tmp_path / "cut.zip", "mine")

    def test_a_source_that_is_not_there(self, tmp_path):
        with pytest.raises(ValueError, match="no file or folder"):
            import_pictures(tmp_path / "nowhere", "mine")

    @pytest.mark.parametrize("name", ["", "Mine", "a b", "../a", "a/b", "a.b", "-a", "ä", "a" * 41, "a\n"])
    def test_a_name_that_is_not_allowed(self, name, tmp_path):
        with pytest.raises(ValueError, match="lower-case letters"):
            import_pictures(pack(tmp_path / "mine.zip", several()), name)

    def test_a_full_disk_leaves_nothing(self, tmp_path, monkeypatch):
        def full(*_, **__):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "save", full)
        with pytest.raises(ValueError, match="No space left on device"):
            import_pictures(pack(tmp_path / "mine.zip", several()), "mine")


def test_any_damage_to_a_zip_is_a_sentence_or_a_shorter_list(tmp_path):
    content = pack(tmp_path / "mine.zip", several(18)).read_bytes()
    chance = random.Random(1)
    for attempt in range(150):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / "damaged.zip").write_bytes(damaged)
        try:
            report = import_pictures(tmp_path / "damaged.zip", f"set{attempt}")
            assert 16 <= report.count <= 18
        except ValueError as error:
            assert "\n" not in str(error)


def test_random_bytes_are_no_picture_but_never_crash_the_decoder():
    chance = random.Random(2)
    for form in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        content = picture(form=form)
        for _ in range(40):
            damaged = bytearray(content)
            for _ in range(5):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                assert decode(bytes(damaged)).shape[2] == 3
            except ValueError as error:
                assert str(error)


# The room of all sets, and the work of one


def test_deleting_a_set_makes_room_for_another(tmp_path, monkeypatch):
    source = pack(tmp_path / "mine.zip", several(20))
    import_pictures(source, "first")
    taken = sum(path.stat().st_size for path in (paths.pictures_folder() / "first").iterdir())
    monkeypatch.setenv("GANPLAY_PICTURES_GB", repr(1.5 * taken / 1e9))
    with pytest.raises(ValueError, match=r"'second' does not fit.*delete a set first"):
        import_pictures(source, "second")
    assert [found.name for found in picture_sets()] == ["first"]
    delete_pictures("first")
    assert import_pictures(source, "second").count == 20


def test_nothing_is_decoded_when_the_room_is_used_up(tmp_path, monkeypatch):
    source = pack(tmp_path / "mine.zip", several(20))
    import_pictures(source, "first")
    monkeypatch.setenv("GANPLAY_PICTURES_GB", "0.00001")
    monkeypatch.setattr(importing, "open_picture", lambda _: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="delete a set first"):
        import_pictures(source, "second")


def test_what_a_killed_import_or_deletion_left_is_removed(tmp_path):
    for name in (".new-mine-00", ".deleted-mine-00"):
        (paths.pictures_folder() / name).mkdir(parents=True)
        (paths.pictures_folder() / name / "pictures.npy").write_bytes(bytes(9))
    import_pictures(pack(tmp_path / "mine.zip", several(20)), "mine")
    assert [path.name for path in paths.pictures_folder().iterdir() if path.is_dir()] == ["mine"]


def test_a_photograph_counts_with_the_pixels_that_are_decoded():
    assert open_picture(picture(size=(2_000, 1_000))).size == (2_000, 1_000)
    assert open_picture(picture(size=(2_000, 1_200), form="JPEG")).size == (250, 150)


def test_a_jpeg_that_goes_over_its_pixels_again_and_again_is_refused_undecoded():
    content = picture(size=(64, 64), form="JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    assert decode(content[:-2] + 20 * last + content[-2:]).shape == (64, 64, 3)
    with pytest.raises(ValueError, match="more than 100 scans"):
        open_picture(content[:-2] + 200 * last + content[-2:])


def test_what_follows_the_end_of_a_jpeg_is_no_scan_of_it():
    content = picture(size=(64, 64), form="JPEG")
    assert decode(content + 200 * b"\xff\xda\0\2").shape == (64, 64, 3)  # phones append a film


# Names, lists, deletion


def test_a_recipe_carries_a_name_and_never_a_path():
    assert Pictures(name="mine").values() == {"classes": [], "name": "mine"}
    for path in ("/etc", "../other", "a/b", "C:\\x", ".."):
        with pytest.raises(ValueError, match="name of a picture set"):
            Pictures(name=path)


def test_an_existing_name_is_refused_and_its_pictures_stay(tmp_path):
    import_pictures(pack(tmp_path / "a.zip", several(16)), "mine")
    with pytest.raises(ValueError, match="already is a picture set 'mine'"):
        import_pictures(pack(tmp_path / "b.zip", several(30)), "mine")
    assert [(found.name, found.count) for found in picture_sets()] == [("mine", 16)]


def test_deleting_removes_the_set_and_its_cache_only(tmp_path):
    source = pack(tmp_path / "a.zip", several(16))
    for name in ("mine", "mine-2"):
        import_pictures(source, name)
        resident.load(Pictures(name=name), (3, 20, 20))
    delete_pictures("mine")
    assert [found.name for found in picture_sets()] == ["mine-2"]
    cached = [path.name for path in paths.cache_folder().iterdir() if path.name != "cache.lock"]
    assert cached and all(name.startswith("pictures.mine-2.") for name in cached)
    with pytest.raises(ValueError, match=r"no picture set 'mine'.*mine-2"):
        resident.load(Pictures(name="mine"), (3, 20, 20))
    with pytest.raises(ValueError, match="no picture set 'mine'"):
        delete_pictures("mine")


def test_a_name_used_again_shows_the_new_pictures(tmp_path):
    for colour in ("black", "white"):
        import_pictures(pack(tmp_path / "a.zip", several(16, colour=colour)), "mine")
        samples = resident.load(Pictures(name="mine"), (3, 20, 20))
        assert samples.values.unique().tolist() == [0 if colour == "black" else 255]
        delete_pictures("mine")


def test_a_set_that_is_not_chosen_or_damaged_is_one_sentence(tmp_path):
    assert datasets["pictures"]().class_names == () and not datasets["pictures"]().available()
    with pytest.raises(ValueError, match="No picture set is chosen; imported are: none yet"):
        resident.load(Pictures(), (3, 32, 32))
    import_pictures(pack(tmp_path / "a.zip", several(16)), "mine")
    assert datasets["pictures"]().available()
    stored = paths.pictures_folder() / "mine" / "pictures.npy"
    stored.write_bytes(stored.read_bytes()[:200])
    with pytest.raises(ValueError, match="'mine' is damaged"):
        resident.load(Pictures(name="mine"), (3, 32, 32))


def test_progress_is_told_in_sentences(tmp_path):
    told = []
    source = pack(tmp_path / "mine.zip", several(45))
    import_pictures(source, "mine", lambda sentence, share: told.append((sentence, share)))
    assert told[-1] == ("Read 45 pictures", 1.0) and len(told) == 4 and "20 of 45" in told[1][0]
