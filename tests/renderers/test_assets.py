from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

VENDOR = Path("renderers/static/renderers/vendor")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_vendored_files_are_those_of_the_manifest_and_nothing_else_lies_there() -> None:
    packages = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))

    expected = {"manifest.json"}
    for package in packages:
        assert package["name"]
        assert package["version"] in package["source_package"]
        assert package["licence"] == "MIT"
        assert _sha256(VENDOR / package["licence_file"]) == package["licence_sha256"]
        expected.add(package["licence_file"])
        for file in package["files"]:
            assert _sha256(VENDOR / file["file"]) == file["sha256"], file["file"]
            expected.add(file["file"])
    assert {path.name for path in VENDOR.iterdir()} == expected


def test_our_scripts_keep_to_the_policy() -> None:
    for path in Path("renderers/static/renderers").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert '"use strict"' in text
        assert not re.search(r"\beval\(|innerHTML|new Function|\.style\b", text), path


def test_styles_name_nothing_outside() -> None:
    text = Path("renderers/static/renderers/blocks.css").read_text(encoding="utf-8")

    assert "url(" not in text
    assert "@import" not in text
