"""config/urls.py: what addresses send along, and who reads the API's document."""

import re

import pytest
from django.test import Client

from tenants.models import User


def policy(response: object) -> str:
    header: str = response["Content-Security-Policy"]  # type: ignore[index]
    return header


@pytest.mark.parametrize("path", ["/login/", "/admin/login/", "/healthz", "/nowhere/"])
def test_every_page_forbids_inline_scripts(db: None, client: Client, path: str) -> None:
    header = policy(client.get(path))

    assert "script-src 'self'" in header
    assert "unsafe" not in header
    assert "frame-ancestors 'none'" in header


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/"])
def test_strangers_do_not_read_the_document_of_the_api(
    db: None, client: Client, path: str
) -> None:
    assert client.get(path).status_code in {401, 403}


def test_the_viewer_of_the_api_relaxes_styles_only(client: Client, user: User) -> None:
    client.force_login(user)

    response = client.get("/api/docs/")

    assert response.status_code == 200
    assert "script-src 'self'" in policy(response)
    assert "script-src 'self' 'unsafe" not in policy(response)
    assert not re.search(rb"<script>(?!\s*</script>)", response.content)
