"""Parts are found by name, clash loudly and are discovered from their folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ganplay.losses import losses
from ganplay.registry import Registry


def test_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(
        ValueError, match=r"no loss 'wassertein'; choose one of .*minimax.*Did you mean 'wasserstein'\?"
    ):
        losses["wassertein"]


def test_duplicate_name_names_both_modules():
    registry = Registry("loss", "ganplay.losses")
    registry.register("twice")(type("One", (), {"__module__": "first.module"}))
    with pytest.raises(ValueError, match=r"'twice' is registered by both first\.module and second\.module"):
        registry.register("twice")(type("Two", (), {"__module__": "second.module"}))


def test_a_new_file_in_the_folder_is_found_without_touching_another(tmp_path, monkeypatch):
    folder = tmp_path / "newparts"
    folder.mkdir()
    (folder / "__init__.py").write_text("from ganplay.registry import Registry\nparts = Registry('part', __name__)\n")
    (folder / "added.py").write_text("from newparts import parts\n@parts.register('added')\nclass Added:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import newparts

    assert newparts.parts.names() == ("added",)
    assert newparts.parts["added"].kind == "added"


def test_threads_that_ask_at_once_all_see_the_whole_list(tmp_path, monkeypatch):
    folder = tmp_path / "slowparts"
    folder.mkdir()
    (folder / "__init__.py").write_text("from ganplay.registry import Registry\nparts = Registry('part', __name__)\n")
    for name in ("a", "b", "c"):
        lines = "import time\ntime.sleep(0.05)\nfrom slowparts import parts\n"
        (folder / f"{name}.py").write_text(f"{lines}@parts.register('{name}')\nclass Part:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import slowparts

    with ThreadPoolExecutor(16) as pool:
        seen = list(pool.map(lambda _: slowparts.parts.names(), range(16)))
    assert set(seen) == {("a", "b", "c")}


def test_a_module_that_fails_is_tried_again_and_not_hidden(tmp_path, monkeypatch):
    folder = tmp_path / "badparts"
    folder.mkdir()
    (folder / "__init__.py").write_text("from ganplay.registry import Registry\nparts = Registry('part', __name__)\n")
    (folder / "bad.py").write_text("raise RuntimeError('broken module')\n")
    monkeypatch.syspath_prepend(tmp_path)
    import badparts

    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken module"):
            badparts.parts.names()
