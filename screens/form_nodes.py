"""What a form made from a JSON Schema consists of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from urllib.parse import quote

from connectors.outcomes import Json
from screens.faults import DocumentError
from screens.form_values import Kind, Written
from screens.pointers import Found


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a select.

    Attributes:
        label: Words to translate, or "" when `name` says it all.
        name: Words of the document or of the tenant, shown as they are.
    """

    value: str
    label: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """An action on a place: sent as ``<verb>:<pointer>``."""

    verb: str
    pointer: str
    name: str = ""

    @property
    def value(self) -> str:
        return f"{self.verb}:{self.pointer}"


@dataclass(frozen=True, slots=True)
class Adder:
    """How an entry is added: by a button alone, or under a name.

    Attributes:
        named: Whether the entry has a name, which is typed beside the button.
        known: Names that are likely wanted.
        blank: The new entry.
    """

    pointer: str
    blank: Json
    named: bool = False
    known: tuple[str, ...] = ()

    @property
    def input_name(self) -> str:
        return f"n:{self.pointer}"

    @property
    def id(self) -> str:
        return f"new-{element_id(self.pointer)}"


@dataclass(frozen=True, slots=True)
class Field:
    """One control of the form, or two for a SCALAR.

    Attributes:
        label: Words to translate; "" when `name` is the label.
        name: Name in the document, shown as it is.
        value: What stands at the place.
        shown: What the control shows: the value, or a text nothing was made of.
        prune: Whether an object left empty around the place is removed, too.
    """

    pointer: str
    kind: Kind
    value: Found
    shown: Written
    label: str = ""
    name: str = ""
    help: str = ""
    bounds: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    buttons: tuple[Button, ...] = ()
    errors: tuple[DocumentError, ...] = ()
    prune: bool = False
    inexpressible: bool = False

    @property
    def text_name(self) -> str:
        return f"f:{self.pointer}"

    @property
    def mode_name(self) -> str:
        return f"m:{self.pointer}"

    @property
    def id(self) -> str:
        return element_id(self.pointer)

    @property
    def is_long(self) -> bool:
        """Whether the text needs several lines: an input would lose their ends."""
        tall = self.kind in (Kind.JSON, Kind.LINES)
        return tall or "\n" in self.shown.text or "\r" in self.shown.text

    @property
    def described_by(self) -> str:
        about = ["help"] if self.help or self.bounds or self.inexpressible else []
        about += ["errors"] if self.errors else []
        return " ".join(f"{self.id}-{part}" for part in about)


@dataclass(frozen=True, slots=True)
class Group:
    """Controls that belong together: an object, a list or a map."""

    pointer: str
    nodes: tuple[Node, ...]
    label: str = ""
    name: str = ""
    number: int = 0
    help: str = ""
    buttons: tuple[Button, ...] = ()
    adder: Adder | None = None
    errors: tuple[DocumentError, ...] = ()

    @property
    def id(self) -> str:
        return element_id(self.pointer)

    @property
    def described_by(self) -> str:
        about = ["help"] if self.help else []
        about += ["errors"] if self.errors else []
        return " ".join(f"{self.id}-{part}" for part in about)


Node: TypeAlias = Field | Group


def element_id(pointer: str) -> str:
    """Return the id of the place's element: no spaces, nothing but ASCII."""
    return "at" + quote(pointer, safe="/~")


def fields_of(nodes: Sequence[Node]) -> Iterator[Field]:
    """Yield every field beneath, in the order of the page."""
    for node in nodes:
        if isinstance(node, Field):
            yield node
        else:
            yield from fields_of(node.nodes)


def adders_of(nodes: Sequence[Node]) -> Iterator[Adder]:
    """Yield what adds entries, wherever it stands."""
    for node in nodes:
        if isinstance(node, Group):
            if node.adder is not None:
                yield node.adder
            yield from adders_of(node.nodes)


def places_of(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the pointer of every node beneath."""
    for node in nodes:
        yield node.pointer
        if isinstance(node, Group):
            yield from places_of(node.nodes)


def with_errors(
    nodes: Sequence[Node], errors: dict[str, tuple[DocumentError, ...]]
) -> tuple[Node, ...]:
    """Put every error at the node of its place."""
    return tuple(_with_errors(node, errors) for node in nodes)


def _with_errors(node: Node, errors: dict[str, tuple[DocumentError, ...]]) -> Node:
    found = errors.get(node.pointer, ())
    if isinstance(node, Field):
        return replace(node, errors=found)
    return replace(node, errors=found, nodes=with_errors(node.nodes, errors))
