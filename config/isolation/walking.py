"""Walk every address as every kind of user, and judge each answer.

The other tenant's staff goes first, so that whatever is kept has their answer in it.
Addresses of foreign rows come last: what is typed there is logged for who typed it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from config.isolation.canaries import Canary
from config.isolation.door import Answer, Door, Visitor
from config.isolation.findings import Finding, Rule, Unwalked
from config.isolation.people import BOTH, SUPERUSER
from config.isolation.probing import NOBODY, SWITCH, attacks, posts, queries, searches
from config.isolation.routes import (
    Route,
    addresses,
    foreign_values,
    missing_values,
    own_values,
)

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_VALUES = re.compile(rf"{_UUID}|[0-9a-f]{{32}}|[ab][0-9a-f]{{8}}x\d{{4}}|\d+|{NOBODY}")
# Staff of two tenants reads the other's name where it may be chosen.
OF_BOTH = frozenset({"tenants.Tenant"})


@dataclass(slots=True)
class Walk:
    """One run over every route, and what it found so far.

    Attributes:
        own: Tenant whose users must see nothing of the other.
        other: Tenant whose marks must not cross; its staff walks, too.
        statuses: Statuses that own addresses got, by route.
        seen: Marks that were seen by who may see them.
    """

    door: Door
    own: Canary
    other: Canary
    routes: tuple[Route, ...]
    findings: dict[tuple[str, ...], Finding] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    unwalked: dict[str, Unwalked] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def pages(
        self,
        visitor: Visitor,
        canary: Canary,
        routes: Iterable[Route] | None = None,
    ) -> None:
        """Ask for everything of the visitor's own tenant, or only for some routes."""
        against = self.other if canary is self.own else self.own
        values = own_values(canary)
        for route in self.routes if routes is None else routes:
            made = addresses(route, values)
            if isinstance(made, Unwalked):
                self.unwalked[route.text] = made
                continue
            for address in made:
                for query in queries(route):
                    asked = address + query
                    answer = self._ask(visitor, route, asked)
                    self.statuses[route.text][answer.status] += 1
                    self.seen.update(canary.marks.found_in(answer.text))
                    self._judge(visitor, route, asked, answer, against)

    def foreign(self, visitor: Visitor) -> None:
        """Ask for the other tenant's rows, and for rows that nobody has.

        Both answers must be the same, and neither may hold more than was asked.
        """
        theirs, nobodys = foreign_values(self.other), missing_values(self.other)
        for route in self.routes:
            if not route.arguments:
                continue
            made, missing = addresses(route, theirs), addresses(route, nobodys)
            if isinstance(made, Unwalked) or isinstance(missing, Unwalked):
                continue
            for address, nothing in zip(made, missing, strict=True):
                if address != nothing:
                    self._compare(visitor, route, address, nothing)

    def search(self, visitor: Visitor) -> None:
        """Search every list for the other's words."""
        for route in self.routes:
            for address, nothing in searches(route, self.other):
                self._compare(visitor, route, address, nothing)

    def post(self, visitor: Visitor, canary: Canary) -> None:
        """Send the forms that change nothing beyond a canary, own and foreign."""
        for route in self.routes:
            for address, fields in posts(route, own_values(canary)):
                answer = self._ask(visitor, route, address, fields)
                self.statuses[route.text][answer.status] += 1
                against = self.other if canary is self.own else self.own
                self._judge(visitor, route, address, answer, against)

    def attack(self, visitor: Visitor) -> None:
        """Send forms about the other's rows; what they change is seen at the end."""
        theirs, nobodys = foreign_values(self.other), missing_values(self.other)
        for route in self.routes:
            for address, fields in attacks(route, theirs):
                answer = self._ask(visitor, route, address, fields)
                self._judge(visitor, route, address, answer, self.other)
            if route.name == SWITCH and visitor.kind == BOTH:
                continue  # who belongs to both may enter both
            both = zip(posts(route, theirs), posts(route, nobodys), strict=True)
            for (address, fields), (nothing, same) in both:
                if (address, fields) != (nothing, same):
                    self._compare(visitor, route, address, nothing, fields, same)

    def control(self, visitor: Visitor, place: str, address: str, mark: str) -> None:
        """Ask as the mark's own tenant: who does not see it there proves nothing."""
        answer = self.door.ask(visitor, address)
        if mark not in answer.text:
            told = "its own tenant does not find it, so its absence proves nothing"
            self._add(Rule.HIDDEN, place, visitor, address, place, told)

    def _ask(
        self,
        visitor: Visitor,
        route: Route,
        address: str,
        fields: Mapping[str, str] | None = None,
    ) -> Answer:
        answer = self.door.ask(visitor, address, posted=fields)
        if answer.status == 500:  # a block that fails says 502, 503 or 504
            told = f"status {answer.status}"
            self._add(Rule.BROKEN, route.name, visitor, address, "", told)
        return answer

    def _judge(
        self,
        visitor: Visitor,
        route: Route,
        address: str,
        answer: Answer,
        against: Canary,
    ) -> None:
        if visitor.kind == SUPERUSER:
            return  # sees every tenant, and is told so
        for mark in against.marks.found_in(answer.text):
            # What stands in the address itself is an echo; the row's other marks tell.
            if mark not in address and not _may(visitor, against, mark):
                self._shown(visitor, route, address, answer, against, mark)

    def _compare(
        self,
        visitor: Visitor,
        route: Route,
        address: str,
        nothing: str,
        fields: Mapping[str, str] | None = None,
        same: Mapping[str, str] | None = None,
    ) -> None:
        answer = self._ask(visitor, route, address, fields)
        control = self.door.ask(visitor, nothing, posted=same)
        asked = self.other.marks.found_in(f"{address} {fields or ''}")
        echoes = control.text.lower().count(NOBODY)
        for mark, times in self.other.marks.found_in(answer.text).items():
            if times > (echoes if mark in asked else 0) and not _may(
                visitor, self.other, mark
            ):
                self._shown(visitor, route, address, answer, self.other, mark)
        mine, theirs = _outline(answer), _outline(control)
        if mine != theirs:
            told = f"answered {mine}, but {theirs} where there is no row"
            self._add(Rule.TOLD, route.name, visitor, address, "", told)

    def _shown(
        self,
        visitor: Visitor,
        route: Route,
        address: str,
        answer: Answer,
        whose: Canary,
        mark: str,
    ) -> None:
        place = str(whose.marks.place_of(mark))
        found = _where(answer, mark)
        self._add(Rule.SHOWN, route.name, visitor, address, place, found)

    def _add(
        self,
        rule: Rule,
        pattern: str,
        visitor: Visitor,
        address: str,
        place: str,
        found: str,
    ) -> None:
        """Keep one finding of a kind: the first address says enough."""
        finding = Finding(rule, pattern, visitor.kind, address, place, found)
        self.findings.setdefault((rule, pattern, visitor.kind, place), finding)


def _may(visitor: Visitor, whose: Canary, mark: str) -> bool:
    """Say whether a reader may read this mark of the tenant that is not open."""
    return visitor.kind == BOTH and whose.marks.place_of(mark).model in OF_BOTH


def _outline(answer: Answer) -> str:
    """Return what an answer tells before its body, whatever value was asked for."""
    location = _VALUES.sub("#", answer.location)
    return f"{answer.status} to {location}" if location else str(answer.status)


def _where(answer: Answer, mark: str) -> str:
    """Say where a mark stands, and nothing of what stands beside it."""
    if (at := answer.head.lower().find(mark)) >= 0:
        name = answer.head[:at].rpartition("\n")[2].partition(":")[0]
        return f"in the header {name}, status {answer.status}"
    before = answer.body[: max(answer.body.lower().find(mark), 0)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return f"in the body at line {line}, column {column}, status {answer.status}"
