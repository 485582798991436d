"""Checklists: ordered steps, each owned by a team, copied at the start of a run and worked while an incident runs.

Reading order: enums and policy know no model; subjects says what a checklist can be worked for, and pages where a step
can lead; reference holds the checklists that every portal begins with; services are the verbs of runs, editing those of
checklists; selectors, forms and views are their pages.
"""
