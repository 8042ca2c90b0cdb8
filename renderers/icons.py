"""Small drawn icons, so that no state is told by colour alone."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

_PATHS = {
    "good": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm3.6 5.2-4.3 5-3-2.8 1-1.1 1.9 1.8"
    " 3.2-3.9 1.2 1Z",
    "warn": "M8 1 .8 14.2h14.4L8 1Zm-.8 4.8h1.6l-.2 4.4H7.4l-.2-4.4ZM8 11.4a.9.9 0"
    " 1 1 0 1.8.9.9 0 0 1 0-1.8Z",
    "bad": "M5.1 1 1 5.1v5.8L5.1 15h5.8l4.1-4.1V5.1L10.9 1H5.1Zm.6 3.6L8 6.9l2.3-2.3"
    " 1.1 1.1L9.1 8l2.3 2.3-1.1 1.1L8 9.1l-2.3 2.3-1.1-1.1L6.9 8 4.6 5.7l1.1-1.1Z",
    "info": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-.8 6h1.6v5H7.2V7ZM8 3.8a1 1 0 1 1 0"
    " 2 1 1 0 0 1 0-2Z",
    "empty": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 0 1 3.3 1.1l-7.6"
    " 7.6A5.4 5.4 0 0 1 8 2.6Zm0 10.8a5.4 5.4 0 0 1-3.2-1l7.6-7.6A5.4 5.4 0 0 1 8"
    " 13.4Z",
    "cut": "M1 2h14v1.6H1V2Zm0 3.6h14v1.6H1V5.6Zm0 3.6h8v1.6H1V9.2Zm10.2 0h1.6v2.6"
    "h1.9L12 15l-2.7-3.2h1.9V9.2Z",
    "clock": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm-.8 2.8h1.6v3.9l2.8 1.6-.8 1.4-3.6"
    "-2.1V3.8Z",
    "lock": "M8 1a3.6 3.6 0 0 0-3.6 3.6v2H3V15h10V6.6h-1.4v-2A3.6 3.6 0 0 0 8 1Zm0"
    " 1.6c1.1 0 2 .9 2 2v2H6v-2c0-1.1.9-2 2-2Zm-.8 6.6h1.6v3H7.2v-3Z",
    "pause": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM5.4 5h1.8v6H5.4V5Zm3.4 0h1.8v6H8.8V5Z",
}


def icon(name: str) -> SafeString:
    """Draw an icon; a word stands beside it, so readers aloud pass over it."""
    return format_html(
        '<svg class="rb-icon" viewBox="0 0 16 16" aria-hidden="true" '
        'focusable="false"><path d="{}"/></svg>',
        _PATHS[name],
    )
