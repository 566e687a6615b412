from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import CannotCreate, DataError
from orderctl.ports.content import ContentStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ContentStore:
    return ContentStore(tmp_path_factory.mktemp("content") / "store")


@given(content=st.binary())
def test_what_is_kept_is_given_back(store: ContentStore, content: bytes) -> None:
    ref = store.put(content)
    assert ref == hashlib.sha256(content).hexdigest()
    assert store.get(ref) == content
    assert store.put(content) == ref
    assert not list(store.root.rglob("*.part"))


def test_only_the_owner_may_read(store: ContentStore) -> None:
    ref = store.put("样例收件人".encode())
    path = store.root / ref[:2] / ref
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_damaged_bytes_are_never_handed_out_and_can_be_mended(store: ContentStore) -> None:
    ref = store.put(b"label")
    path = store.root / ref[:2] / ref
    path.write_bytes(b"lab")
    with pytest.raises(DataError, match="damaged bytes"):
        store.get(ref)
    assert store.put(b"label") == ref
    assert store.get(ref) == b"label"


def test_a_lost_document_is_told(store: ContentStore) -> None:
    with pytest.raises(DataError, match="has lost"):
        store.get(hashlib.sha256(b"never kept").hexdigest())


@pytest.mark.parametrize(
    "ref", ["", "a", "/dev/zero", "../../etc/passwd", "..", "A" * 64, "g" * 64, "0" * 63, "0" * 64 + "\n"]
)
def test_a_name_from_a_batch_leads_nowhere_else(store: ContentStore, ref: str) -> None:
    with pytest.raises(DataError, match="is no name in the content store"):
        store.get(ref)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(CannotCreate, match="cannot write to"):
        ContentStore(tmp_path / "store").put(b"x")
