"""Start the whole portal with its demo: what ``make run`` does."""

from __future__ import annotations

import logging
import os
import sys
import time
from argparse import ArgumentParser
from functools import partial

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config import background
from config.processes import (
    PortalDidNotStart,
    Processes,
    Program,
    Stopped,
    free_port,
    manage,
)
from config.reviews import write_review
from demo.history import STAFF as HISTORY_STAFF
from demo.history import TENANT as HISTORY_TENANT
from demo.history import load_history
from demo.loader import Login, load_demo
from observability.review_periods import last_ended
from observability.review_values import Cadence
from observability.services import begin_review
from tenants.models import Tenant, User
from tenants.scope import Actor

DEMO_PORTS = (8901, 8909)


class Command(BaseCommand):
    help = (
        "Start the portal with its demo on this machine: migrations, demo content, "
        "web, worker, scheduler and the demo API. Ctrl+C stops everything."
    )

    requires_system_checks: list[str] = []  # the worker's and the scheduler's do

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            default=int(os.environ.get("SIGNALBOX_PORT", "8000")),
            help="first port to try for the portal (default: 8000)",
        )

    def handle(self, *, port: int, **options: object) -> None:
        stopped = Stopped()
        # On a terminal the addresses should stay in sight; faults are still printed.
        os.environ.setdefault("SIGNALBOX_LOG_LEVEL", "WARNING")
        os.environ.setdefault("SIGNALBOX_LOG_FORMAT", "text")
        logging.getLogger().setLevel(os.environ["SIGNALBOX_LOG_LEVEL"])
        try:
            chosen = free_port(port, last=port + 99)
            demo_port = free_port(DEMO_PORTS[0], last=DEMO_PORTS[1])
            with Processes() as processes:
                # The server starts while the database is prepared, as a copy of this
                # process that need not import again; nobody knows its address yet.
                processes.start(web(chosen))
                logins = self._prepare(demo_port)
                address = f"http://127.0.0.1:{chosen}"
                processes.wait_until_answering(f"{address}/healthz", seconds=60)
                for program in beside(demo_port):
                    processes.start(program)
                self._greet(address, port, chosen, demo_port, logins)
                while not stopped and not (name := processes.ended()):
                    time.sleep(0.2)
                if not stopped:
                    raise PortalDidNotStart(f"The process {name} ended; see above.")
        except PortalDidNotStart as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped.")

    def _prepare(self, demo_port: int) -> tuple[Login, ...]:
        call_command("migrate", verbosity=0, interactive=False)
        logins = load_demo(api_address=f"http://127.0.0.1:{demo_port}")
        if load_history():
            _begin_review()
        return logins

    def _greet(
        self,
        address: str,
        wanted: int,
        chosen: int,
        demo_port: int,
        logins: tuple[Login, ...],
    ) -> None:
        self.stdout.write(f"\nPortal   {address}/")
        if chosen != wanted:
            self.stdout.write(f"         (port {wanted} is taken, so {chosen})")
        self.stdout.write(f"Admin    {address}/admin/")
        self.stdout.write(f"Demo API http://127.0.0.1:{demo_port}/\n")
        if logins:
            self.stdout.write("Logins, printed this once:")
            for login in logins:
                self.stdout.write(
                    f"  {login.username:<10} {login.password:<18} {login.purpose}"
                )
        else:
            self.stdout.write(
                "Logins were printed at the first start. New passwords: "
                ".venv/bin/python manage.py demo --reset-passwords"
            )
        self.stdout.write("\nCtrl+C stops everything.")
        self.stdout.flush()


def _begin_review() -> None:
    """Send last month's review of the demo round: it waits for its signature."""
    tenant = Tenant.objects.get(key=HISTORY_TENANT)
    staff = User.objects.get(username=HISTORY_STAFF)
    period = last_ended(timezone.now(), Cadence.MONTHLY, zone=settings.TIME_ZONE)
    found = write_review(period, tenant=tenant)
    begin_review(found.review, actor=Actor(user_id=staff.pk, tenant_id=tenant.pk))


def web(port: int) -> Program:
    """Return the portal's server on one port of the loopback."""
    return Program("web", run=partial(run_gunicorn, port))


def run_gunicorn(port: int) -> None:
    """Be gunicorn, as ``gunicorn --config config/gunicorn.py --bind …`` is."""
    from gunicorn.app import wsgiapp

    import config.urls  # noqa: F401 - the first request should find it imported

    file = settings.BASE_DIR / "config" / "gunicorn.py"
    sys.argv = ["gunicorn", "--config", str(file), "--bind", f"127.0.0.1:{port}"]
    wsgiapp.run()


def beside(demo_port: int) -> tuple[Program, ...]:
    """Return what runs beside the server."""
    demo_api = (sys.executable, "-m", "demo.api", "--port", str(demo_port))
    workers = [Program("worker", manage("worker", "--interval", "2"))]
    return (
        Program("demo API", demo_api),
        *(workers if background.has_workers() else []),
        Program("scheduler", manage("scheduler")),
    )
