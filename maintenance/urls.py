"""The addresses of maintenance."""

from __future__ import annotations

from django.urls import path, re_path

from maintenance import backupcall, jobcall
from maintenance.exercises.views import exercises
from maintenance.exercises.views import plans as recovery_plans
from maintenance.views import acting, backups, calendar, drafting, due, importing, plan, recovery, windows

app_name = "maintenance"

REFERENCE = r"(?P<reference>(?i:MNT)-\d{6,9})"
WINDOW = r"(?P<reference>(?i:MNW)-\d{6,9})"
BACKUP = r"(?P<reference>(?i:BKP)-\d{6,9})"
TEST = r"(?P<reference>(?i:RST)-\d{6,9})"
NUMBER = r"(?P<number>\d{1,9})"
RECOVERY_PLAN = r"recovery/plans/(?P<reference>(?i:RCP)-\d{6,9})"
EXERCISE = r"recovery/exercises/(?P<reference>(?i:EXR)-\d{6,9})"
VERB = r"(?P<verb>[a-z-]+)"

urlpatterns = [
    path("maintenance/", due.due, name="due"),
    path("maintenance/calendar/", calendar.calendar, name="calendar"),
    path("maintenance/feeds/", calendar.make_feed, name="make-feed"),
    path("maintenance/feeds/<int:pk>/revoke/", calendar.revoke_feed, name="revoke-feed"),
    path("maintenance/feed/<str:secret>.ics", calendar.feed, name="feed"),
    path("maintenance/plans/", due.plans, name="plans"),
    path("maintenance/plans/new/", drafting.draft, name="draft"),
    path("maintenance/plans/import/", importing.take, name="import"),
    path("maintenance/plans.csv", importing.plans, name="plans-table"),
    path("maintenance/plans.xlsx", importing.plans, {"kind": "xlsx"}, name="plans-workbook"),
    path("maintenance/due.csv", importing.table, name="table"),
    path("maintenance/due.xlsx", importing.table, {"kind": "xlsx"}, name="workbook"),
    path("maintenance/hand-over/", due.hand_over, name="hand-over"),
    path("maintenance/windows/", windows.board, name="windows"),
    path("maintenance/windows/new/<slug:how>/", windows.plan, name="new-window"),
    re_path(rf"^maintenance/windows/{WINDOW}/$", windows.window, name="window"),
    re_path(rf"^maintenance/windows/{WINDOW}/series/end/$", windows.end_series, name="end-series"),
    re_path(rf"^maintenance/windows/{WINDOW}/(?P<verb>[a-z-]+)/$", windows.act, name="act-on-window"),
    path("recovery/", recovery.recovery, name="recovery"),
    path("recovery/recovery.csv", recovery.table, name="recovery-table"),
    path("recovery/systems/<slug:slug>/", recovery.system, name="recovery-system"),
    path("recovery/systems/<slug:slug>/test/", recovery.record_test, name="record-restore-test"),
    path("recovery/systems/<slug:slug>/backup/", backups.new, name="new-backup"),
    re_path(rf"^recovery/tests/{TEST}/$", recovery.restore_test, name="restore-test"),
    re_path(rf"^recovery/backups/{BACKUP}/$", backups.backup, name="backup"),
    re_path(rf"^recovery/backups/{BACKUP}/runs/(?P<pk>\d{{1,18}})/$", backups.validate, name="validate-run"),
    re_path(rf"^recovery/backups/{BACKUP}/(?P<verb>[a-z-]+)/$", backups.act, name="act-on-backup"),
    path("backups/<str:secret>/", backupcall.report, name="backup-report"),
    path("maintenance/<str:secret>/done", jobcall.done, name="job-done"),
    re_path(rf"^maintenance/{REFERENCE}/$", plan.plan, name="plan"),
    re_path(rf"^maintenance/{REFERENCE}/edit/$", drafting.edit, name="edit"),
    re_path(rf"^maintenance/{REFERENCE}/tokens/(?P<pk>\d{{1,18}})/revoke/$", acting.revoke_token, name="revoke-token"),
    re_path(rf"^maintenance/{REFERENCE}/{NUMBER}/$", plan.occurrence, name="occurrence"),
    re_path(rf"^maintenance/{REFERENCE}/{NUMBER}/checklist/$", acting.start_checklist, name="start-checklist"),
    re_path(rf"^maintenance/{REFERENCE}/{NUMBER}/(?P<verb>[a-z-]+)/$", acting.act, name="act"),
    re_path(rf"^maintenance/{REFERENCE}/(?P<verb>[a-z-]+)/$", acting.act_on_plan, name="act-on-plan"),
    path("recovery/plans/", recovery_plans.plans, name="recovery-plans"),
    path("recovery/plans/new/", recovery_plans.draft, name="draft-recovery-plan"),
    re_path(rf"^{RECOVERY_PLAN}/$", recovery_plans.plan, name="recovery-plan"),
    re_path(rf"^{RECOVERY_PLAN}/edit/$", recovery_plans.edit, name="edit-recovery-plan"),
    re_path(rf"^{RECOVERY_PLAN}/{VERB}/$", recovery_plans.act, name="act-on-recovery-plan"),
    path("recovery/exercises/", exercises.listing, name="exercises"),
    re_path(rf"^{EXERCISE}/$", exercises.exercise, name="exercise"),
    re_path(rf"^{EXERCISE}/proof/$", exercises.report, name="exercise-proof"),
    re_path(rf"^{EXERCISE}/(?P<position>\d{{1,4}})/{VERB}/$", exercises.act_on_step, name="act-on-step"),
    re_path(rf"^{EXERCISE}/{VERB}/$", exercises.act, name="act-on-exercise"),
]
