"""The menu tree for staff: an indented list, places, and who may see what."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from menus.models import Menu
from menus.services import create_menu, delete_menu, move_menu, step_menu, update_menu
from menus.tree import FIELDS
from tenants import permissions
from tenants.admin import TenantModelAdmin, TenantModelForm
from tenants.models import Team, User
from tenants.scope import Actor, required_tenant_id

# Field of the form -> permission and kind of holder.
GRANT_FIELDS = {
    "allowed_teams": ("view_menu", "team"),
    "denied_teams": ("hide_menu", "team"),
    "allowed_users": ("view_menu", "user"),
    "denied_users": ("hide_menu", "user"),
}


class MenuForm(TenantModelForm):
    """A menu with its name in two languages, and the grants on it."""

    fault_fields: ClassVar[dict[str, str]] = {
        "menus_menu_screen_of_its_kind": "screen",
        "menus_menu_address_of_its_kind": "url",
    }

    label_ko = forms.CharField(label=_("name (Korean)"), max_length=80, required=False)
    label_en = forms.CharField(label=_("name (English)"), max_length=80, required=False)
    allowed_teams = forms.ModelMultipleChoiceField(
        Team.objects.none(), label=_("teams that see it"), required=False
    )
    denied_teams = forms.ModelMultipleChoiceField(
        Team.objects.none(), label=_("teams it is hidden from"), required=False
    )
    allowed_users = forms.ModelMultipleChoiceField(
        User.objects.none(), label=_("users who see it"), required=False
    )
    denied_users = forms.ModelMultipleChoiceField(
        User.objects.none(), label=_("users it is hidden from"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in ("ko", "en"):
            text = (self.instance.label or {}).get(language, "")
            self.initial.setdefault(f"label_{language}", text)
        self._offer_holders()

    def _offer_holders(self) -> None:
        tenant_id = required_tenant_id()
        people = {
            "team": Team.objects.filter(tenant_id=tenant_id),
            "user": User.objects.filter(
                memberships__tenant_id=tenant_id, is_active=True
            ).order_by("username"),
        }
        held = holders_of(self.instance) if self.instance.pk else {}
        for name, (_codename, kind) in GRANT_FIELDS.items():
            if name in self.fields:
                field = self.fields[name]
                field.queryset = people[kind]  # type: ignore[attr-defined]
                field.widget = FilteredSelectMultiple(str(field.label), False)
                field.widget.choices = field.choices  # type: ignore[attr-defined]
                self.initial.setdefault(name, held.get(name, []))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for kind in ("teams", "users"):
            both = set(cleaned.get(f"allowed_{kind}") or ()) & set(
                cleaned.get(f"denied_{kind}") or ()
            )
            if both:
                names = ", ".join(sorted(str(holder) for holder in both))
                text = _("%(names)s: choose either, seen or hidden.") % {"names": names}
                self.add_error(f"denied_{kind}", text)
        self._check_parent(cleaned.get("parent"))
        return cleaned

    def _check_parent(self, parent: Menu | None) -> None:
        above = dict(Menu.objects.values_list("pk", "parent_id"))
        node = parent.pk if parent is not None else None
        while node is not None and self.instance.pk is not None:
            if node == self.instance.pk:
                text = _("A menu cannot hang under itself. Choose a parent outside it.")
                self.add_error("parent", text)
                return
            node = above.get(node)

    def _post_clean(self) -> None:
        texts = {key: self.cleaned_data.get(f"label_{key}", "") for key in ("ko", "en")}
        self.instance.label = {key: text for key, text in texts.items() if text}
        super()._post_clean()  # type: ignore[misc]
        if not self.instance.label:
            text = _("Give the menu a name in one language at least.")
            self.add_error("label_ko", text)


def holders_of(menu: Menu) -> dict[str, list[int]]:
    """Return who holds what on a menu, by field of the form."""
    return {
        name: [
            holder.id
            for holder in permissions.who_else(codename, menu)
            if holder.kind == kind
        ]
        for name, (codename, kind) in GRANT_FIELDS.items()
    }


@admin.register(Menu)
class MenuAdmin(TenantModelAdmin):
    form = MenuForm
    actions = None
    list_display = ["tree_name", "slug", "kind", "screen", "enabled", "place"]
    list_display_links = ["tree_name"]
    list_filter = ["kind", "enabled", "breaks_inheritance"]
    list_select_related = ["screen"]
    list_per_page = 500
    search_fields = ["slug", "label"]
    sortable_by = ()
    fieldsets = [
        (None, {"fields": ["label_ko", "label_en", "slug", "parent"]}),
        (_("What it opens"), {"fields": ["kind", "screen", "url", "icon"]}),
        (
            _("Who sees it"),
            {
                "fields": ["enabled", "breaks_inheritance", *GRANT_FIELDS],
                "description": _(
                    "What is given here counts for everything below, until something "
                    "nearer says otherwise. Hidden beats seen on the same menu. With "
                    "nothing given, nobody but superusers sees a menu."
                ),
            },
        ),
    ]

    @admin.display(description=_("name"))
    def tree_name(self, menu: Menu) -> str:
        context = {"menu": menu, "depth": min(menu.level, 6)}
        return render_to_string("menus/admin_name.html", context)

    @admin.display(description=_("place"))
    def place(self, menu: Menu) -> str:
        address = reverse("admin:menus_menu_step", args=[menu.pk])
        context = {"menu": menu, "address": address}
        return render_to_string("menus/admin_place.html", context)

    def view_on_site(self, menu: Menu) -> str:
        return menu.get_absolute_url()

    def get_urls(self) -> list[URLPattern]:
        step = self.admin_site.admin_view(csrf_protect(require_POST(self.step_view)))
        own = path("<int:menu_id>/step/", step, name="menus_menu_step")
        return [own, *super().get_urls()]

    def step_view(self, request: HttpRequest, menu_id: int) -> HttpResponse:
        """Move a menu one place up or down among its siblings."""
        menu = self.get_queryset(request).filter(pk=menu_id).first()
        if menu is None:
            raise Http404
        if not self.has_change_permission(request, menu):
            raise PermissionDenied
        step_menu(menu, actor=Actor.of(request), down=request.POST.get("to") == "down")
        return HttpResponseRedirect(reverse("admin:menus_menu_changelist"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as error:
            # Somebody else changed the tree between our check and our write.
            messages.error(request, " ".join(error.messages))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(
        self, request: HttpRequest, obj: Menu, form: Any, change: bool
    ) -> None:
        actor = Actor.of(request)
        fields = {name: getattr(obj, name) for name in FIELDS}
        parent = form.cleaned_data.get("parent")
        if not change:
            saved = create_menu(
                fields.pop("slug"), parent=parent, actor=actor, **fields
            )
        else:
            saved = update_menu(obj, actor=actor, **fields)
            if "parent" in form.changed_data:
                saved = move_menu(saved, parent=parent, actor=actor)
        obj.__dict__.update(saved.__dict__)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        """Give and take what the form says; each is audited on its own."""
        menu, actor = form.instance, Actor.of(request)
        for name, (codename, _kind) in GRANT_FIELDS.items():
            if name not in form.cleaned_data:
                continue
            wanted = {holder.pk: holder for holder in form.cleaned_data[name]}
            before = set(form.initial.get(name, []))
            for key, holder in wanted.items():
                if key not in before:
                    permissions.grant(codename, menu, to=holder, actor=actor)
            model = Team if name.endswith("teams") else User
            for holder in model._base_manager.filter(pk__in=before - set(wanted)):
                permissions.revoke(codename, menu, to=holder, actor=actor)

    def delete_model(self, request: HttpRequest, obj: Menu) -> None:
        delete_menu(obj, actor=Actor.of(request))
