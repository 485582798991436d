"""The promises of the record pages, asked of every registered admin."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import RequestFactory
from django.urls import reverse

from portal.audit.admin import GuardedAdmin, GuardedInline, ReadOnlyAdmin
from portal.audit.history import AuditHistory
from portal.audit.models import AuditedModel
from tests.factories.accounts import make_superuser, make_user
from tests.factories.anything import make

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

REGISTERED = {model._meta.label: registered for model, registered in admin.site._registry.items()}
# Rows about another record are seen only by whoever may see that record too: label, and what it is about here.
ABOUT = {
    "directory.RecoveryProof": "directory.System",
    "approvals.ApprovalRequest": "directory.Severity",
    "approvals.Stage": "approvals.ApprovalRequest",
    "records.Evidence": "directory.System",
    "records.CustodyEvent": "records.Evidence",
    "records.EvidenceObject": "records.Evidence",
    "records.EvidenceCheck": "records.EvidenceObject",
    "runbooks.RunStep": "runbooks.ChecklistRun",
    "runbooks.RunEvent": "runbooks.ChecklistRun",
    "changes.ChangeStep": "changes.Change",
    "changes.Cell": "changes.Change",
    "changes.GateReport": "changes.Change",
    "changes.FreezeOverride": "changes.Change",
}
GUARDED = {label: found for label, found in REGISTERED.items() if isinstance(found, GuardedAdmin)}
# Registered by a library, shown to administrators as the library made them: label and reason.
FOREIGN: dict[str, str] = {}


def guarded(test):
    return pytest.mark.parametrize("label", sorted(GUARDED))(test)


def registered(test):
    return pytest.mark.parametrize("label", sorted(REGISTERED.keys() - FOREIGN.keys()))(test)


def address(label, page, *args):
    meta = REGISTERED[label].opts
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def allow(user, label, *acts):
    meta = REGISTERED[label].opts
    names = [f"{act}_{meta.model_name}" for act in acts]
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label=meta.app_label, codename__in=names))
    if label in ABOUT:
        allow(user, ABOUT[label], "view")


def rows(model):
    history = model.history.order_by("history_id").values() if issubclass(model, AuditedModel) else ()
    return {"rows": list(model._base_manager.order_by("pk").values()), "history": list(history)}


def history_pages(label, obj):
    pages = [address(label, "history", obj.pk)]
    if label in GUARDED:
        pages.append(address(label, "simple_history", obj.pk, obj.history.first().pk))
    return pages


@pytest.fixture
def reader(client):
    """Somebody who may see the records of one kind and change none."""
    user = make_user()
    client.force_login(user)
    return user


def lengthen_history(obj, times):
    """Add history rows in which every field and every audited relation differs from the row before."""
    history = AuditHistory.of[type(obj)]
    heads = [f for f in history.fields_included(obj) if f.is_relation]
    others = {f.attname: [make(f.related_model).pk for _ in range(times)] for f in heads}
    relations = [getattr(obj, name) for name in obj.audited_m2m]
    for number in range(times):
        row = history.row(obj, "~")
        for field in history.fields_included(obj):
            if field.get_internal_type() in {"CharField", "TextField"}:
                setattr(row, field.attname, str(number))
        for name, keys in others.items():
            setattr(row, name, keys[number])
        row.save()
        for relation in relations:
            relation.add(make(relation.model))


def test_there_are_admins_to_ask():
    assert "accounts.User" in GUARDED
    assert "deadlines.Deadline" in REGISTERED.keys() - GUARDED.keys()


@registered
def test_every_admin_is_guarded_or_only_reads(label):
    found = REGISTERED[label]
    wanted = GuardedAdmin if issubclass(found.model, AuditedModel) else ReadOnlyAdmin
    assert isinstance(found, wanted), f"{label} is registered with {type(found).__name__}, not a {wanted.__name__}"


@registered
def test_audited_rows_inside_a_form_are_guarded_too(label):
    for inline in REGISTERED[label].inlines:
        assert issubclass(inline, GuardedInline) or not issubclass(inline.model, AuditedModel), inline.__name__


@registered
def test_a_history_page_refuses_to_write_for_a_viewer(client, reader, label):
    model = REGISTERED[label].model
    obj = make(model)
    allow(reader, label, "view")
    before = rows(model)
    for method in ("post", "put", "patch", "delete"):
        for page in history_pages(label, obj):
            assert getattr(client, method)(page).status_code == (403 if method == "post" else 405), method
    assert rows(model) == before


@registered
def test_a_history_page_refuses_to_write_for_anybody(client, label):
    model = REGISTERED[label].model
    obj = make(model)
    client.force_login(make_superuser())
    before = rows(model)
    data = {f.name: "x" for f in model._meta.concrete_fields}
    for page in history_pages(label, obj):
        assert client.post(page, data).status_code == 403
    assert rows(model) == before


@registered
def test_the_form_is_not_saved_without_the_right_to_change(client, reader, label):
    model = REGISTERED[label].model
    obj = make(model)
    allow(reader, label, "view")
    before = rows(model)
    assert client.post(address(label, "change", obj.pk), {}).status_code == 403
    assert rows(model) == before


@guarded
def test_history_is_not_read_without_the_right_to_view(client, reader, label):
    obj = make(REGISTERED[label].model)
    allow(reader, label, "change")
    reader.user_permissions.clear()
    for page in (address(label, "history", obj.pk), address(label, "simple_history", obj.pk, obj.history.first().pk)):
        assert client.get(page).status_code == 403


@guarded
def test_nothing_is_deleted(client, label):
    obj = make(REGISTERED[label].model)
    client.force_login(make_superuser())
    assert client.get(address(label, "delete", obj.pk)).status_code == 403
    assert client.post(address(label, "delete", obj.pk), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": obj.pk, "post": "yes"}
    client.post(address(label, "changelist"), action)
    assert type(obj)._base_manager.filter(pk=obj.pk).exists()


@registered
def test_lists_and_records_are_only_for_those_who_may_see_them(client, reader, label):
    found = REGISTERED[label]
    obj = make(found.model)
    request = RequestFactory().get("/")
    request.user = reader
    assert not found.get_queryset(request).exists()
    assert client.get(address(label, "changelist")).status_code == 403
    assert client.get(address(label, "change", obj.pk)).status_code in {302, 403}


def counted(client, page, queries):
    with queries as context:
        assert client.get(page).status_code == 200
    return len(context)


@guarded
def test_a_history_page_costs_the_same_however_long(client, reader, label, django_assert_max_num_queries):
    obj = make(REGISTERED[label].model)
    allow(reader, label, "view")
    page = address(label, "history", obj.pk)
    lengthen_history(obj, 2)
    client.get(page)
    short = counted(client, page, django_assert_max_num_queries(60))
    lengthen_history(obj, 8)
    assert counted(client, page, django_assert_max_num_queries(60)) == short


@registered
def test_a_list_costs_the_same_however_long(client, label, django_assert_max_num_queries):
    model = REGISTERED[label].model
    client.force_login(make_superuser())
    page = address(label, "changelist")
    for _ in range(2):
        make(model)
    client.get(page)
    short = counted(client, page, django_assert_max_num_queries(60))
    for _ in range(5):
        make(model)
    assert counted(client, page, django_assert_max_num_queries(60)) == short


@registered
def test_every_page_opens(client, label):
    obj = make(REGISTERED[label].model)
    client.force_login(make_superuser())
    pages = [address(label, "changelist"), address(label, "change", obj.pk), *history_pages(label, obj)]
    for page in pages:
        assert client.get(page).status_code == 200, page


@guarded
def test_what_services_set_is_not_in_the_form(label):
    found = REGISTERED[label]
    obj = make(found.model)
    request = RequestFactory().get("/")
    request.user = make_superuser()
    form = found.get_form(request, obj, fields=None)
    closed = {f.name for f in found.opts.concrete_fields if not f.editable}
    assert not closed & set(form.base_fields)
    shown = closed - {found.opts.pk.name} - set(found.masked_fields)
    assert shown <= set(found.get_readonly_fields(request, obj))
