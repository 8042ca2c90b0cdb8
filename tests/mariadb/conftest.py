"""Databases on the MariaDB of the test run."""

from __future__ import annotations

from tests.connectors.external import on_mariadb  # noqa: F401 - a fixture
