"""connectors/query_verification.py: every class of attack, tried on a real MariaDB."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.query_probes import ATTACKS, Kind, probes
from connectors.query_verification import try_probe
from connectors.specs import TableSpec
from tests.connectors.external import External

pytestmark = pytest.mark.mariadb


def test_every_class_of_attack_is_tried_and_held(on_mariadb: External) -> None:
    tables = (TableSpec("orders", tenant_column="status"), TableSpec("sites"))
    source = replace(on_mariadb.source, tables=tables)
    before = on_mariadb.digest()

    tried = [try_probe(probe, source) for probe in probes(source)]

    assert [each for each in tried if not each.held] == []
    assert {each.probe.attack for each in tried} == set(ATTACKS)
    walls = {each.wall for each in tried if each.probe.kind is Kind.STATEMENT}
    assert {"cursor", "rights", "time", "transaction"} <= walls
    # There is no row security on MariaDB: the scope alone holds these.
    [rows] = [each for each in tried if each.probe.kind is Kind.ROWS]
    assert (rows.judge, rows.wall) == ("scope", "ran")
    assert on_mariadb.digest() == before
