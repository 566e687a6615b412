"""What every stand-in must keep, whoever it stands in for. Walks the registry: a new one is tested from its first day."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from orderctl.sandbox import Sandbox
from orderctl.sandbox.answer import Answer, Request
from orderctl.sandbox.people import Person
from orderctl.sandbox.standins import COURIERS, PLATFORMS, Carrier, Shop, StandIn, choose, known, load
from orderctl.sandbox.store import Order, Store
from orderctl.sandbox.world import SETTLED_SECONDS, divide
from tests.sandbox.callers import Clock

SHOPS = [shop for platform in known() for shop in load(PLATFORMS[platform]).shops]
CLOCK = Clock()
BODIES = st.binary(max_size=200) | st.text(max_size=80).map(str.encode) | st.recursive(
    st.none() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())  # fmt: skip


@pytest.fixture(params=known())
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SHOPS, ids=lambda shop: str(shop.name))
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.param
    return found


def standin(store: Store, platform: str) -> StandIn:
    made: StandIn = load(PLATFORMS[platform])(store, CLOCK)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = Store(tmp_path / "store.sqlite3")
    yield store
    store.close()


def test_every_folder_is_registered() -> None:
    folder = Path(inspect.getfile(Sandbox)).parent
    folders = {path.parent.name for path in folder.glob("*/__init__.py")}
    assert folders == {*known(), *COURIERS}


@pytest.mark.parametrize("where", [*(PLATFORMS[name] for name in known()), *COURIERS.values()])
def test_the_class_has_what_the_protocol_names(where: str) -> None:
    made = load(where)
    protocol = Carrier if where in COURIERS.values() else StandIn
    wanted = {name for base in protocol.__mro__ for name in inspect.get_annotations(base)}
    for name in wanted:
        assert hasattr(made, name), name
    for name, method in inspect.getmembers(protocol, inspect.isfunction):
        if name.startswith("_"):
            continue
        ours = inspect.signature(getattr(made, name)).parameters
        theirs = inspect.signature(method).parameters
        assert len(ours) == len(theirs), name
        assert [p.name for p in ours.values() if p.kind is p.KEYWORD_ONLY] == [
            p.name for p in theirs.values() if p.kind is p.KEYWORD_ONLY
        ], name
    assert made.pages <= made.lists


def test_names_and_shops(platform: str) -> None:
    made = load(PLATFORMS[platform])
    assert made.name == platform
    assert made.shops
    assert {shop.platform for shop in made.shops} == {platform}
    assert all(shop.share > 0 and shop.title for shop in made.shops)


def test_no_two_shops_have_one_name() -> None:
    names = [shop.name for shop in SHOPS] + list(PLATFORMS)
    assert max(Counter(names).values()) == 1


def test_paths_and_settings(shop: Shop, store: Store) -> None:
    made = standin(store, shop.platform)
    path = made.path(shop)
    assert path == f"/{shop.platform}" or path.startswith(f"/{shop.platform}/")
    assert not made.serves("/") and not made.serves("/_books") and not made.serves("/nobody/here")
    for name, value in made.settings(shop).items():
        assert isinstance(name, str) and isinstance(value, str)


def make(
    made: StandIn, shop: Shop, number: int, case: str | None, like: Order | None = None, seed: int = 1
) -> Order:
    dice = Random(f"{seed}|{shop.name}|{number}")
    return made.make(shop, seed, number, dice, at=int(CLOCK.at) - 5000, case=case, like=like)


def test_orders_are_made_the_same_again_and_fit_the_store(shop: Shop, store: Store) -> None:
    made = standin(store, shop.platform)
    cases = made.cases(shop)
    assert len(cases) >= 5
    wanted = [*cases, "ready", None, None, None]
    orders = [make(made, shop, number + 1, case) for number, case in enumerate(wanted)]
    again = [make(made, shop, number + 1, case) for number, case in reversed(list(enumerate(wanted)))]
    assert [order.row() for order in orders] == [order.row() for order in reversed(again)]
    assert [order.row() for order in orders] != [
        make(made, shop, number + 1, case, seed=2).row() for number, case in enumerate(wanted)
    ]
    for order in orders:
        assert (order.platform, order.shop) == (shop.platform, shop.name)
        assert order.created <= order.modified < order.created + SETTLED_SECONDS
    assert len({order.ref for order in orders}) == len(orders)
    assert [order.number for order in orders] == sorted({order.number for order in orders})
    store.add(orders)
    for order in orders:
        found = store.find(shop.platform, shop.name, order.ref)
        assert found is not None and found.row() == order.row()


def test_references_are_nobody_elses(store: Store) -> None:
    refs = [
        make(standin(store, shop.platform), shop, number, None).ref
        for shop in SHOPS
        for number in range(1, 40)
    ]
    assert len(refs) == len(set(refs))


CHANGES: tuple[dict[str, Any], ...] = (
    {"memo": "改好了"}, {"note": "放门口"}, {"address": True}, {"refund": True}, {"stir": "x"},
)  # fmt: skip


def test_changes_are_modifications(shop: Shop, store: Store) -> None:
    made = standin(store, shop.platform)
    for number, changes in enumerate(CHANGES, start=1):
        order = make(made, shop, number, "ready")
        before = json.dumps(order.body, ensure_ascii=False)
        moved = made.touch(order, changes, 1, CLOCK.at + 60)
        assert moved or "stir" not in changes
        assert json.dumps(order.body, ensure_ascii=False) != before, changes
        store.add([order])
    with pytest.raises(ValueError, match="colour"):
        made.touch(make(made, shop, 9, "ready"), {"colour": 1}, 1, CLOCK.at)


def test_only_its_own_seal_is_opened(shop: Shop, store: Store) -> None:
    made = standin(store, shop.platform)
    order = make(made, shop, 1, "ready")
    assert made.unseal(order, "nonsense") is None
    for value in list(order.body.values()):
        person = made.unseal(order, value) if isinstance(value, str) and len(value) > 20 else None
        assert person is None or isinstance(person, Person)


def test_a_message_tells_of_the_state_and_of_no_person(shop: Shop, store: Store) -> None:
    made = standin(store, shop.platform)
    for number, case in enumerate((*made.cases(shop), None), start=1):
        order = make(made, shop, number, case)
        event = made.event(order)
        if event is None:
            continue
        assert set(event) == {"headers", "body"}
        assert all(isinstance(text, str) for one in event["headers"].items() for text in one)
        assert made.event(make(made, shop, number, case)) == event  # a repetition is the same, byte for byte
        assert "1380000" not in event["body"] and "样例路" not in event["body"]
        made.touch(order, {"stir": "x"}, 1, CLOCK.at + 60)
        order.modified = int(CLOCK.at) + 60
        later = made.event(order)
        assert later is not None and later["body"] != event["body"]


def request(path: str, verb: str = "POST", body: bytes = b"", **headers: str) -> Request:
    return Request(verb, path, {}, headers, body, "http://127.0.0.1")


@pytest.mark.parametrize("kind", ["429", "throttled", "temporary"])
def test_refusals_are_answers(shop: Shop, store: Store, kind: str) -> None:
    made = standin(store, shop.platform)
    answer = made.refusal(kind, request(made.path(shop)))
    assert isinstance(answer, Answer) and answer.body
    assert store.books() == []


@settings(max_examples=40, deadline=None)
@given(
    body=BODIES,
    verb=st.sampled_from(["GET", "POST", "PUT"]),
    tail=st.sampled_from(["", "/x", "/oauth/token", "/token"]),
    media=st.sampled_from(["application/json", "application/x-www-form-urlencoded;charset=UTF-8", "text/plain", ""]),
)  # fmt: skip
def test_whatever_comes_is_answered(body: bytes, verb: str, tail: str, media: str) -> None:
    for shop in SHOPS:
        gate = GATES[shop.platform]
        asked = request(gate.path(shop) + tail, verb, body, **{"content-type": media})
        if gate.serves(asked.path):
            name, subject = gate.operation(asked)
            assert isinstance(name, str) and name and isinstance(subject, str)
            answer = gate.answer(asked)
            assert isinstance(answer, Answer)
            assert 200 <= answer.status < 600


@pytest.fixture(scope="module", autouse=True)
def _gates(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = Store(tmp_path_factory.mktemp("gates") / "store.sqlite3")
    GATES.update({name: standin(store, name) for name in known()})
    yield
    store.close()


GATES: dict[str, StandIn] = {}


def test_control_words_refuse_nonsense(platform: str, store: Store) -> None:
    made = standin(store, platform)
    for word in made.words:
        for value in ("nonsense", {"shop": None}, [1]):
            with pytest.raises((ValueError, TypeError, KeyError)):
                made.control(word, value, CLOCK.at)


def test_a_world_of_every_shop(tmp_path: Path) -> None:
    with Sandbox(tmp_path, shops=["all"], orders=200, now=CLOCK) as sandbox:
        assert [shop.name for shop in sandbox.shops] == [shop.name for shop in SHOPS]
        assert sandbox.store.size("1", ()) == 200
        assert all(sandbox.store.size("shop = ?", (shop.name,)) for shop in SHOPS)
        for shop in SHOPS:
            (first,) = sandbox.add_orders(1, shop=shop.name)
            (second,) = sandbox.add_orders(1, same_recipient_as=f"{shop.name}:{first.ref}")
            assert (second.shop, second.ref != first.ref) == (shop.name, True)
            sandbox.touch(first.ref, stir="改好了")
            changed = sandbox.store.find(shop.platform, shop.name, first.ref)
            assert changed is not None and changed.modified == int(CLOCK.at)
        url = sandbox.start()
        text = httpx.get(f"{url}/_config").text
        found = yaml.safe_load(text)
        assert found == sandbox.config(url)
        assert list(found["shops"]) == [shop.name for shop in SHOPS]
        assert all(one["base_url"].startswith(url) for one in found["shops"].values())
        assert list(found["issuers"]) == list(COURIERS)


def test_shops_are_chosen_by_name_or_platform(tmp_path: Path) -> None:
    assert [shop.name for some in choose(None).values() for shop in some] == ["tb-demo", "sf-demo", "sf-cny"]
    assert choose(["sf-cny"]) == {"shopify": (choose(None)["shopify"][1],)}
    assert list(choose(["sf-cny", "taobao"])) == ["taobao", "shopify"]
    assert list(choose(["all"])) == known()
    with pytest.raises(ValueError, match=r"no shop moon; known: taobao, .*sf-cny"):
        choose(["moon", "sf-cny"])
    with pytest.raises(ValueError, match="no shop moon"):
        Sandbox(tmp_path / "none", shops=["moon"])
    assert not (tmp_path / "none").exists()
    with Sandbox(tmp_path, shops=["sf-cny"], orders=9, now=CLOCK) as sandbox:
        assert sandbox.store.size("shop = 'sf-cny'", ()) == 9
        assert list(sandbox.config("")["shops"]) == ["sf-cny"]
        with pytest.raises(ValueError, match="no shop 'tb-demo'"):
            sandbox.add_orders(1, shop="tb-demo")
    with Sandbox(tmp_path, now=CLOCK) as again:
        assert [shop.name for shop in again.shops] == ["sf-cny"]


@given(total=st.integers(0, 500), parts=st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_orders_are_divided_exactly(total: int, parts: list[int]) -> None:
    counts = [count for _, count in divide(total, [Shop("x", f"s{k}", part) for k, part in enumerate(parts)])]
    assert sum(counts) == total
    for part, count in zip(parts, counts, strict=True):
        assert abs(count - total * part / sum(parts)) <= len(parts)
