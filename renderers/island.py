"""Data for scripts, inside the page and harmless to it."""

from __future__ import annotations

import orjson
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

# As Django's json_script: nothing can end the element or open a comment.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


def island(element_id: str, data: object) -> SafeString:
    """Return ``data`` as a JSON element that a script reads by its id."""
    return island_of_text(element_id, orjson.dumps(data).decode())


def island_of_text(element_id: str, text: str) -> SafeString:
    """Return JSON text that somebody wrote already as such an element."""
    return format_html(
        '<script type="application/json" id="{}">{}</script>',
        element_id,
        mark_safe(text.translate(_ESCAPES)),  # escaped right here
    )
