"""RFC 6902: its own examples, and every patch undone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screens.patches import Patched, PatchFault, apply_patch, invert_patch, same

# The examples of RFC 6902, appendix A, by number; None where it must fail.
EXAMPLES: list[tuple[str, Any, Any, Any]] = [
    ("A.1", {"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}],
     {"baz": "qux", "foo": "bar"}),
    ("A.2", {"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}],
     {"foo": ["bar", "qux", "baz"]}),
    ("A.3", {"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}],
     {"foo": "bar"}),
    ("A.4", {"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}],
     {"foo": ["bar", "baz"]}),
    ("A.5", {"baz": "qux", "foo": "bar"},
     [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo", "foo": "bar"}),
    ("A.6", {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
     [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
     {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    ("A.7", {"foo": ["all", "grass", "cows", "eat"]},
     [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
     {"foo": ["all", "cows", "eat", "grass"]}),
    ("A.8", {"baz": "qux", "foo": ["a", 2, "c"]},
     [{"op": "test", "path": "/baz", "value": "qux"},
      {"op": "test", "path": "/foo/1", "value": 2}],
     {"baz": "qux", "foo": ["a", 2, "c"]}),
    ("A.9", {"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], None),
    ("A.10", {"foo": "bar"},
     [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
     {"foo": "bar", "child": {"grandchild": {}}}),
    ("A.11", {"foo": "bar"},
     [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
     {"foo": "bar", "baz": "qux"}),
    ("A.12", {"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], None),
    ("A.14", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}],
     {"/": 9, "~1": 10}),
    ("A.15", {"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], None),
    ("A.16", {"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc"]}],
     {"foo": ["bar", ["abc"]]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "patch", "after"),
    [pytest.param(*rest, id=name) for name, *rest in EXAMPLES],
)
def test_the_examples_of_the_standard(before: Any, patch: Any, after: Any) -> None:
    kept = copy.deepcopy(before)

    done = apply_patch(before, patch)

    assert before == kept
    if after is None:
        assert isinstance(done, PatchFault)
    else:
        assert done == Patched(after)


@pytest.mark.parametrize(
    ("body", "patch", "fault"),
    [
        pytest.param({}, {"op": "add"}, PatchFault(-1, "shape"), id="no list"),
        pytest.param({}, [1], PatchFault(0, "shape"), id="no object"),
        pytest.param(
            {}, [{"op": "spam", "path": "/a"}], PatchFault(0, "shape", "/a"), id="op"
        ),
        pytest.param(
            {}, [{"op": "add", "path": "a", "value": 1}], PatchFault(0, "shape", "a"),
            id="a pointer begins with a slash",
        ),
        pytest.param(
            {}, [{"op": "add", "path": "/a"}], PatchFault(0, "shape", "/a"),
            id="without a value",
        ),
        pytest.param(
            {"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}],
            PatchFault(0, "path", "/a/b"), id="into itself",
        ),
        pytest.param(
            {"a": [1]}, [{"op": "remove", "path": "/a/00"}],
            PatchFault(0, "path", "/a/00"), id="a leading zero",
        ),
        pytest.param(
            {"a": [1]}, [{"op": "add", "path": "/a/5", "value": 1}],
            PatchFault(0, "path", "/a/5"), id="past the end",
        ),
        pytest.param(
            {"a": 1}, [{"op": "test", "path": "/a", "value": True}],
            PatchFault(0, "test", "/a"), id="1 is not true",
        ),
        pytest.param(
            {"a": 1}, [{"op": "add", "path": "/a/b", "value": 1}],
            PatchFault(0, "path", "/a/b"), id="through a number",
        ),
    ],
)  # fmt: skip
def test_a_patch_that_cannot_be_applied_says_where(
    body: Any, patch: Any, fault: PatchFault
) -> None:
    assert apply_patch(body, patch) == fault
    assert invert_patch(body, patch) == fault


def test_a_patch_is_applied_whole_or_not_at_all() -> None:
    body: Any = {"a": [1, 2]}

    done = apply_patch(
        body,
        [{"op": "remove", "path": "/a/0"}, {"op": "test", "path": "/a/0", "value": 1}],
    )

    assert done == PatchFault(1, "test", "/a/0")
    assert body == {"a": [1, 2]}


# --- Random documents, random patches -----------------------------------------------
NAMES = st.sampled_from(["a", "b", "c/d", "e~f", "0", ""])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "한"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
    ),
    max_leaves=12,
)


def places(body: Any, here: str = "") -> list[str]:
    """Every pointer into a document, and those just past the end of its lists."""
    found = [here]
    if isinstance(body, dict):
        for name, value in body.items():
            escaped = name.replace("~", "~0").replace("/", "~1")
            found += places(value, f"{here}/{escaped}")
        found.append(f"{here}/new")
    if isinstance(body, list):
        for index, value in enumerate(body):
            found += places(value, f"{here}/{index}")
        found += [f"{here}/-", f"{here}/{len(body)}"]
    return found


@st.composite
def patched(draw: st.DrawFn) -> tuple[Any, list[dict[str, Any]], Any]:
    """A document, a patch that can be applied, and what it leads to."""
    body = draw(BODIES)
    now: Any = body
    patch: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 6))):
        step = {
            "op": draw(st.sampled_from(["add", "remove", "replace", "move", "copy"])),
            "path": draw(st.sampled_from(places(now))),
            "from": draw(st.sampled_from(places(now))),
            "value": draw(BODIES),
        }
        done = apply_patch(now, [step])
        if isinstance(done, Patched):
            patch.append(step)
            now = done.body
    return body, patch, now


@settings(max_examples=250, deadline=None)
@given(patched())
def test_every_patch_can_be_undone(made: tuple[Any, list[dict[str, Any]], Any]) -> None:
    before, patch, after = made

    back = invert_patch(before, patch)

    assert not isinstance(back, PatchFault)
    restored = apply_patch(after, back)
    assert isinstance(restored, Patched)
    assert same(restored.body, before)


@settings(max_examples=80, deadline=None)
@given(BODIES, BODIES)
def test_same_is_an_equality(one: Any, other: Any) -> None:
    assert same(one, copy.deepcopy(one))
    assert same(one, other) == same(other, one)
    assert not same(True, 1)
    assert same(1, 1.0)
