"""What one reader keeps: favourites, and what was opened lately."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from menus.models import Favourite, Menu, RecentVisit
from tenants.scope import Actor, using_tenant

RECENT = 8
REPEATED = timedelta(minutes=1)


def set_favourite(actor: Actor, menu: Menu, *, wanted: bool) -> None:
    """Pin or unpin a menu; repeating it changes nothing."""
    with using_tenant(actor.tenant_id):
        if wanted:
            Favourite.objects.get_or_create(user_id=actor.user_id, menu=menu)
        else:
            Favourite.objects.filter(user_id=actor.user_id, menu=menu).delete()


def remember_visit(actor: Actor, menu: Menu) -> None:
    """Note that the actor opened a menu now.

    A menu that is the newest visit already is not written again for a minute: a page
    that is reloaded should read, and wait for nobody's write.
    """
    now = timezone.now()
    visit = RecentVisit(user_id=actor.user_id, menu=menu, visited_at=now)
    with using_tenant(actor.tenant_id):
        newest = RecentVisit.objects.filter(user_id=actor.user_id).first()
        if _just_written(newest, menu, now):
            return
        RecentVisit.objects.bulk_create(
            [visit],
            update_conflicts=True,
            unique_fields=["user", "menu"],
            update_fields=["visited_at"],
        )


def _just_written(newest: RecentVisit | None, menu: Menu, now: datetime) -> bool:
    if newest is None or newest.menu_id != menu.pk:
        return False
    return now - newest.visited_at < REPEATED


def favourite_ids(actor: Actor) -> tuple[int, ...]:
    """Return the menus the actor pinned, oldest first; hidden ones included."""
    with using_tenant(actor.tenant_id):
        rows = Favourite.objects.filter(user_id=actor.user_id)
        return tuple(rows.values_list("menu_id", flat=True))


def recent_ids(actor: Actor) -> tuple[int, ...]:
    """Return the menus the actor opened last, newest first; hidden ones included."""
    with using_tenant(actor.tenant_id):
        rows = RecentVisit.objects.filter(user_id=actor.user_id)
        return tuple(rows.values_list("menu_id", flat=True)[: RECENT * 2])
