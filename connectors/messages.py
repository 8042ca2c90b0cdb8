"""The words of every rule this app names, in the active language.

Pure modules return rule ids and values; what people read is made here. No words quote
a secret or an address of the inside.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.notes import read_note
from connectors.parameters import ArgumentError

_ADDRESSES: dict[str, Promise] = {
    "address-characters": gettext_lazy(
        "The address holds a blank, a backslash, a control character, or a letter that "
        "must be percent-encoded. Write it as a browser shows it."
    ),
    "address-scheme": gettext_lazy(
        "The address must begin with http:// or https:// and name a host."
    ),
    "address-user": gettext_lazy(
        "The address holds a user or an @ sign. Give the user and the secret in their "
        "own fields."
    ),
    "address-fragment": gettext_lazy(
        "The address holds a fragment (#…), which no server is sent. Remove it."
    ),
    "address-host": gettext_lazy(
        "The host of the address is neither a plain name, a dotted quad such as "
        "192.0.2.1, nor an IPv6 address in brackets."
    ),
    "address-port": gettext_lazy(
        "The port of the address must lie between 1 and 65535."
    ),
    "address-query": gettext_lazy(
        "The address holds a query (?…). Give query parameters at the operation."
    ),
    "address-metadata": gettext_lazy(
        "Data source %(source)s leads to a link-local or metadata address, which is "
        "never called. Give the address of the service itself."
    ),
    "address-inner": gettext_lazy(
        "Data source %(source)s leads to an inner address. Ask the operator to list "
        "its network and port in SIGNALBOX_INTERNAL_NETWORKS."
    ),
}

_FAILURES: dict[str, Promise] = {
    **_ADDRESSES,
    "body-broken": gettext_lazy(
        "Data source %(source)s sent a body that broke off or could not be unpacked. "
        "Try again; if it stays, ask its owner."
    ),
    "body-too-large": gettext_lazy(
        "Data source %(source)s sent more than the limit of %(limit)s bytes. Ask for "
        "less, or raise the limit of the data source."
    ),
    "cancelled": gettext_lazy("The call was cancelled because nobody waits for it."),
    "charset": gettext_lazy(
        "The answer of %(source)s is not %(charset)s at byte %(at)s. Ask its owner to "
        "name the charset."
    ),
    "charset-unknown": gettext_lazy(
        "The answer of %(source)s names the charset “%(charset)s”, which does not "
        "exist here."
    ),
    "circuit-open": gettext_lazy(
        "Data source %(source)s failed too often and is left alone for %(seconds)s "
        "seconds. It is tried again after that."
    ),
    "connection-lost": gettext_lazy(
        "Data source %(source)s closed the connection before it had answered."
    ),
    "content-type": gettext_lazy(
        "Data source %(source)s answered with the type “%(found)s”, which is neither "
        "JSON, CSV, TSV nor text. Declare the format at the operation if it is."
    ),
    "csv": gettext_lazy(
        "The answer of %(source)s is not well-formed CSV in line %(line)s."
    ),
    "encoding": gettext_lazy(
        "Data source %(source)s packed its answer as “%(encoding)s”. Only gzip and "
        "deflate were offered."
    ),
    "encoding-other": gettext_lazy(
        "Data source %(source)s packed its answer in a way we did not offer. Only "
        "gzip and deflate were offered."
    ),
    "header-value": gettext_lazy(
        "Header %(name)s cannot carry this value: line breaks, control characters and "
        "letters outside Latin-1 are refused."
    ),
    "internal": gettext_lazy("Something went wrong inside the portal. The log has it."),
    "invalid": gettext_lazy("Operation %(operation)s cannot be called: %(errors)s"),
    "json": gettext_lazy(
        "The answer of %(source)s is not well-formed JSON in line %(line)s, column "
        "%(column)s."
    ),
    "json-too-deep": gettext_lazy(
        "The JSON of %(source)s is nested too deeply or holds too long a number."
    ),
    "missing": gettext_lazy(
        "There is no operation %(operation)s, or it is switched off."
    ),
    "name-unknown": gettext_lazy("The host of data source %(source)s has no address."),
    "no-connection": gettext_lazy(
        "Data source %(source)s takes no connection. Check that it runs."
    ),
    "not-http": gettext_lazy(
        "Data source %(source)s did not answer in HTTP as it must."
    ),
    "path-dots": gettext_lazy(
        "A path segment “.” or “..” is refused: it would leave the operation's path."
    ),
    "path-value-empty": gettext_lazy(
        "Parameter %(name)s stands in the path and needs a value."
    ),
    "pool-full": gettext_lazy(
        "The portal is too busy to start operation %(operation)s. Try again soon."
    ),
    "redirect-address": gettext_lazy(
        "Data source %(source)s redirected to something that is no HTTP address."
    ),
    "redirect-downgrade": gettext_lazy(
        "Data source %(source)s redirected from https to http, which is refused."
    ),
    "redirects": gettext_lazy(
        "Data source %(source)s redirected more than %(limit)s times."
    ),
    "rows-path": gettext_lazy(
        "The rows path %(path)s cannot be applied to the answer of %(source)s."
    ),
    "rows-path-nothing": gettext_lazy(
        "The rows path %(path)s finds nothing in the answer of %(source)s. Compare it "
        "with an answer on the operation's test page."
    ),
    "secret-header": gettext_lazy(
        "The secret of %(source)s, or the name of its header, cannot be sent as an "
        "HTTP header. Set it again without line breaks."
    ),
    "secret-missing": gettext_lazy(
        "The secret of %(source)s is not where the data source says. Set the variable "
        "or the file, or give the secret itself."
    ),
    "secret-reference": gettext_lazy(
        "The secret of %(source)s names a variable or a file this tenant may not read."
    ),
    "secret-unopened": gettext_lazy(
        "The secret of %(source)s was sealed with a key the portal no longer has. Set "
        "the secret again, or bring the key back."
    ),
    "quota-queries": gettext_lazy(
        "The queries of this tenant for today are used up: %(used)s of %(allowed)s. "
        "They begin anew at %(resets)s. Ask an administrator of the portal for more."
    ),
    "quota-rows": gettext_lazy(
        "The rows of this tenant for today are used up: %(used)s of %(allowed)s. They "
        "begin anew at %(resets)s. Ask an administrator of the portal for more."
    ),
    "status": gettext_lazy("Data source %(source)s answered with status %(status)s."),
    "status-denied": gettext_lazy(
        "Data source %(source)s refused us with status %(status)s. Check the secret "
        "of the data source and what it may read."
    ),
    "tenant-suspended": gettext_lazy(
        "This tenant is suspended, so nothing is called for it. Ask an administrator "
        "of the portal."
    ),
    "timeout": gettext_lazy(
        "Data source %(source)s did not answer within %(limit)s ms."
    ),
    "timeout-connect": gettext_lazy(
        "Data source %(source)s took no connection within %(limit)s ms."
    ),
    "timeout-late": gettext_lazy("No time was left to call data source %(source)s."),
    "timeout-read": gettext_lazy(
        "Data source %(source)s sent nothing for %(limit)s ms."
    ),
    "tls": gettext_lazy(
        "The certificate of data source %(source)s cannot be trusted, or its TLS "
        "failed."
    ),
}

_NOTES: dict[str, Promise] = {
    "text-withheld": gettext_lazy(
        "The answer is a text that may hold personal data, so all of it is masked."
    ),
    "charset-guessed": gettext_lazy(
        "Read as %(charset)s, because the answer named no charset."
    ),
    "column-missing": gettext_lazy("The answer has no column %(column)s."),
    "columns-cut": gettext_lazy(
        "Only the first %(kept)s of %(found)s columns are kept."
    ),
    "ragged-rows": gettext_lazy(
        "%(count)s rows are shorter or longer than the heading."
    ),
    "read-as": gettext_lazy("Read as %(format)s, judging by its first characters."),
    "unconverted": gettext_lazy(
        "%(count)s values of column %(column)s are not of its type and left out."
    ),
}

_TYPES: dict[str, Promise] = {
    "text": gettext_lazy("a text"),
    "integer": gettext_lazy("a whole number"),
    "decimal": gettext_lazy("a number"),
    "boolean": gettext_lazy("true or false"),
    "date": gettext_lazy("a date such as 2026-01-31"),
    "datetime": gettext_lazy("a date and time such as 2026-01-31T08:30"),
    "choice": gettext_lazy("one of the choices"),
    "list": gettext_lazy("values with commas between them"),
}


def failure_text(rule: str, values: Mapping[str, object]) -> str:
    """Say a `CallFailed` in words."""
    return str(_FAILURES[rule]) % values


def address_text(rule: str) -> str:
    """Say in words what is wrong with an address somebody typed."""
    return str(_ADDRESSES[rule])


def note_text(text: str) -> str:
    """Say a note of a `Success` in words; an unknown note is shown as it is."""
    rule, values = read_note(text)
    words = _NOTES.get(rule)
    return text if words is None else str(words) % values


def argument_error(error: ArgumentError) -> str:
    """Say in words why an argument was refused."""
    values = {
        "name": error.name,
        "found": error.found,
        "expected": str(_TYPES.get(error.expected, error.expected)),
    }
    match error.rule:
        case "missing":
            return _("%(name)s is missing; give %(expected)s.") % values
        case "minimum":
            return (
                _("%(name)s is “%(found)s”; at least %(expected)s is needed.") % values
            )
        case "maximum":
            return (
                _("%(name)s is “%(found)s”; at most %(expected)s is allowed.") % values
            )
        case "choice":
            return _("%(name)s is “%(found)s”; choose one of %(expected)s.") % values
        case "unknown" if error.expected:
            return _("%(name)s is not known here; was %(expected)s meant?") % values
        case "unknown":
            return _("%(name)s is not known here.") % values
    return _("%(name)s is “%(found)s”; expected %(expected)s.") % values
