"""docs/api.md says what is so: its example runs as it stands, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.app import api_without_services
from api.errors import FAULT, HTTP_CODES
from ledger.domain.event_v1 import to_object
from tests.api.routes import DOCUMENT
from tests.api.world import POSTS, event_of

if TYPE_CHECKING:
    import pytest

    from tests.api.world import World

GUIDE = (Path(__file__).parents[2] / "docs/api.md").read_text()


def test_the_example_of_a_reporter_runs(world: World, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    reporter = POSTS["reporter-p"][0]
    made = to_object(event_of(reporter, {"agreement": world.agreement}))
    stated = {name: value for name, value in made.items() if name not in {"reporter", "reporter_seq", "prev_hash"}}
    # A wallet of its own, which the agency binds to the reporting post beside the key that is there.
    world.do("key.new", name="guide")
    world.do("key.bind", name="guide", post=reporter)
    signer: Any = world.signer("guide")
    key = next(vars_of for vars_of in _secrets(signer) if len(vars_of) == 32)
    found: dict[str, Any] = {"ADDRESS": address, "KEY": key, "REPORTER": reporter, "EVENT": stated}
    # The home's clock runs ahead in these tests, so that blocks come fast.
    monkeypatch.setattr("time.time", world.services.now_s)
    exec(compile(example, "docs/api.md", "exec"), found)
    found["api"].close()
    assert found["answer"].status_code == 201
    assert found["receipt"]["id"] == stated["id"]
    assert world.services.log.size() == found["receipt"]["index"] + 1


def test_the_guide_names_no_route_that_is_not_there() -> None:
    # A stream without end is no call that OpenAPI could describe, but a route all the same.
    routes = {route.path for route in api_without_services().state.routes}
    paths = {re.sub(r"\{[^}]*\}", "{}", path) for path in {*DOCUMENT["paths"], *routes}}
    told = re.findall(r"/(?:v1/[a-z{][\w/{}.-]*[\w}]|rpc|health|ready)", GUIDE)
    named = {re.sub(r"\{[^}]*\}", "{}", path).rstrip("/") for path in told}
    for path in named:
        assert path in paths or any(known.startswith(f"{path}/") for known in paths), path


def test_the_guide_names_every_code_that_only_http_has() -> None:
    for code, _ in (*HTTP_CODES.values(), FAULT):
        assert f"`{code}`" in GUIDE


def _secrets(signer: Any) -> list[bytes]:
    names = getattr(type(signer), "__slots__", None) or vars(signer)
    held = [getattr(signer, name) for name in names]
    return [one if isinstance(one, bytes) else getattr(one, "secret", b"") for one in held]
