"""``python -m benchmarks [NAME] [--quick]``: measure, print, keep."""

from __future__ import annotations

from argparse import ArgumentParser

from benchmarks import page, query_safety, runner

BENCHMARKS = {
    "page": page.run,
    "query_safety": query_safety.run,
    "runner": runner.run,
}


def main() -> None:
    """Run one benchmark, or all of them."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="few samples, print only")
    given = parser.parse_args()
    for name in [given.name] if given.name else sorted(BENCHMARKS):
        BENCHMARKS[name](quick=given.quick)


if __name__ == "__main__":
    main()
