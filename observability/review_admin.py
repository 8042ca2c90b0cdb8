"""Reviews for staff: read what was frozen, see to findings, sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q, QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from observability import review_documents, reviews
from observability.messages import sign_rule_text
from observability.models import Review, ReviewFinding
from observability.review_periods import period_name
from tenants.admin import TenantModelAdmin, TenantTabularInline
from tenants.scope import Actor

# One form takes at most a thousand fields; more findings are seen to on their list.
_MOST_INLINE = 100
_TRACKED = ("owner", "due_on", "state", "note")
if TYPE_CHECKING:
    _Base = admin.options.BaseModelAdmin[Any]
else:
    _Base = object

_EXPORTS = {
    "markdown": (review_documents.markdown, "text/markdown", "md"),
    "html": (review_documents.html, "text/html", "html"),
}


class OverdueFilter(admin.SimpleListFilter):
    """Findings that should have been seen to by now."""

    title = gettext_lazy("overdue")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("overdue"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        if self.value() == "yes":
            return queryset.filter(
                pk__in=ReviewFinding.objects.overdue(today=timezone.localdate())
            )
        return queryset


class _OwnersReadOnce(_Base):
    """Offers the same owners in every row of a form, and asks for them once."""

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            # In rows, the stock admin draws the field without its label.
            widget: Any = getattr(field.widget, "widget", field.widget)
            widget.attrs["aria-label"] = str(db_field.verbose_name)
        return field

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if isinstance(field, ModelChoiceField) and db_field.name == "owner":
            field.choices = list(field.iterator(field))
        return field


class FindingInline(_OwnersReadOnce, TenantTabularInline):
    """What is to be done about a review; the text itself is frozen."""

    model = ReviewFinding
    fields = ("finding", *_TRACKED)
    readonly_fields = ("finding",)
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("finding"))
    def finding(self, row: ReviewFinding) -> str:
        return str(row)


@admin.register(Review)
class ReviewAdmin(TenantModelAdmin):
    """Reviews come from the scheduler; here they are read, sent round and signed."""

    change_form_template = "observability/review_change_form.html"
    list_display = ("name", "cadence", "state", "signed", "open_now", "overdue_now")
    list_filter = ("cadence", "state")
    date_hierarchy = "starts"
    readonly_fields = ("state", "signatures_so_far", "sound", "report")
    fields = readonly_fields
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        is_open = Q(findings__state=ReviewFinding.State.OPEN) & Q(
            findings__found_again__isnull=True
        )
        late = is_open & Q(findings__due_on__lt=timezone.localdate())
        rows: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                signature_count=Count("signatures", distinct=True),
                open_count=Count("findings", filter=is_open, distinct=True),
                overdue_count=Count("findings", filter=late, distinct=True),
            )
        )
        # A list of reviews needs none of the long texts.
        return rows.defer("snapshot")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        few = obj is not None and obj.findings.count() <= _MOST_INLINE
        return [FindingInline] if few else []

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save nothing: a review is frozen, its findings are saved beside it."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        context["may_sign"] = _may_sign(request)
        context["languages"] = review_documents.LANGUAGES
        context["show_save_and_continue"] = True
        return super().change_view(request, object_id, form_url, context)

    # --- Columns ---------------------------------------------------------------

    @admin.display(description=gettext_lazy("review"), ordering="starts")
    def name(self, review: Review) -> str:
        return str(review)

    @admin.display(description=gettext_lazy("signatures"))
    def signed(self, review: Any) -> str:
        return f"{review.signature_count} / {review.signatures_needed}"

    @admin.display(description=gettext_lazy("open findings"), ordering="open_count")
    def open_now(self, review: Any) -> int:
        return int(review.open_count)

    @admin.display(
        description=gettext_lazy("overdue findings"), ordering="overdue_count"
    )
    def overdue_now(self, review: Any) -> int:
        return int(review.overdue_count)

    @admin.display(description=gettext_lazy("signatures"))
    def signatures_so_far(self, review: Review) -> str:
        told = [
            f"{one.username} ({timezone.localtime(one.signed_at):%Y-%m-%d %H:%M})"
            for one in review.signatures.all()
        ]
        told.append(f"{len(told)} / {review.signatures_needed}")
        return ", ".join(told)

    @admin.display(description=gettext_lazy("unchanged"), boolean=True)
    def sound(self, review: Review) -> bool:
        return reviews.is_untouched(review)

    @admin.display(description=gettext_lazy("report"))
    def report(self, review: Review) -> SafeString | str:
        if not review.is_sound:
            return _("The stored report is not the one that was frozen.")
        body = review_documents.html_body(review.read(), _language(), level=3)
        # Every text in it was escaped where it was written.
        return mark_safe(body)

    # --- Own pages -------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = (
            ("<path:object_id>/begin/", self.begin_view, "begin"),
            ("<path:object_id>/sign/", self.sign_view, "sign"),
            ("<path:object_id>/export/<slug:form>/", self.export_view, "export"),
        )
        own = [
            path(route, wrap(view), name=f"observability_review_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    @method_decorator(csrf_protect)
    def begin_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask on GET, send round on POST."""
        review = self._review(request, object_id, signer=True)
        if request.method == "POST":
            if reviews.begin_review(review, actor=Actor.of(request)):
                messages.success(request, _("The review can be signed now."))
            return _back_to(review)
        begun = review.state != Review.State.DRAFT
        return self._step(
            request,
            review,
            title=_("Begin the review"),
            question=_(
                "From now on the review can be signed. Findings may be changed all "
                "the same."
            ),
            answer=_("Yes, begin"),
            refusal=_("This review has begun already.") if begun else "",
        )

    @method_decorator(csrf_protect)
    def sign_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask on GET, sign on POST; a refusal is told in words."""
        review = self._review(request, object_id, signer=True)
        actor = Actor.of(request)
        if request.method == "POST":
            signed = reviews.sign(review, actor=actor)
            if isinstance(signed, reviews.SignRule):
                messages.error(request, sign_rule_text(signed))
            else:
                messages.success(request, _("Your signature is recorded."))
            return _back_to(review)
        rule = reviews.may_sign(review, actor=actor)
        return self._step(
            request,
            review,
            title=_("Sign"),
            question=_(
                "With your signature you say that you have read this review, and that "
                "every finding has its decision. A signed review never changes."
            ),
            answer=_("Yes, sign"),
            refusal=sign_rule_text(rule) if rule is not None else "",
        )

    def _step(self, request: HttpRequest, review: Review, **words: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **words,
            "opts": self.opts,
            "review": review,
        }
        return TemplateResponse(request, "observability/review_step.html", context)

    def export_view(
        self, request: HttpRequest, object_id: str, form: str
    ) -> HttpResponse:
        """Give the frozen report as a file; a browser never opens it in the portal."""
        review = self._review(request, object_id)
        language = request.GET.get("language", _language())
        if form not in _EXPORTS or language not in review_documents.LANGUAGES:
            raise Http404
        if not review.is_sound:
            messages.error(request, sign_rule_text(reviews.SignRule.CHANGED))
            return _back_to(review)
        write, content_type, ending = _EXPORTS[form]
        snapshot = review.read()
        name = period_name(snapshot.period, zone=snapshot.zone)
        file = f"review-{snapshot.tenant_key}-{name}-{language}.{ending}"
        return HttpResponse(
            write(snapshot, language),
            content_type=f"{content_type}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    def _review(
        self, request: HttpRequest, object_id: str, *, signer: bool = False
    ) -> Review:
        if getattr(request, "tenant", None) is None:
            raise Http404
        review = self.get_object(request, object_id)
        if not isinstance(review, Review):
            raise Http404
        if not self.has_view_permission(request, review):
            raise PermissionDenied
        if signer and not _may_sign(request):
            raise PermissionDenied
        return review


@admin.register(ReviewFinding)
class ReviewFindingAdmin(_OwnersReadOnce, TenantModelAdmin):
    """Findings of all reviews: what is open, whose it is, and what is overdue."""

    list_display = ("finding", "review", *_TRACKED, "overdue")
    list_editable = _TRACKED
    list_filter = (OverdueFilter, "state", "review__cadence")
    # A page is one form, and a form has at most a thousand fields.
    list_per_page = 100
    list_select_related = ("review", "owner", "found_again")
    search_fields = ("key", "note")
    readonly_fields = ("finding", "review", "found_before")
    fields = ("finding", "review", "found_before", *_TRACKED)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.defer("review__snapshot").order_by(
            F("due_on").asc(nulls_last=True), "pk"
        )

    @admin.display(description=gettext_lazy("finding"))
    def finding(self, row: ReviewFinding) -> str:
        return str(row)

    @admin.display(description=gettext_lazy("overdue"), boolean=True)
    def overdue(self, row: ReviewFinding) -> bool:
        again = getattr(row, "found_again", None)
        return again is None and row.is_overdue(today=timezone.localdate())


def _may_sign(request: HttpRequest) -> bool:
    return request.user.has_perm("observability.sign_review")


def _language() -> str:
    language = get_language() or "ko"
    return language if language in review_documents.LANGUAGES else "ko"


def _back_to(review: Review) -> HttpResponseRedirect:
    return HttpResponseRedirect(
        reverse("admin:observability_review_change", args=[review.pk])
    )
