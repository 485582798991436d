"""Operations of migrations that are safe on large tables of either database."""

from __future__ import annotations

from typing import Any

from django.db import migrations


class AddIndexBesideWrites(migrations.AddIndex):
    """Adds an index; PostgreSQL goes on writing meanwhile. The migration must have `atomic = False`."""

    atomic = False

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Add the index, on PostgreSQL concurrently."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, concurrently=True)
