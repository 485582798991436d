"""Operations of migrations that are safe on large tables of either database, or cheap on an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import migrations
from django.db.migrations.operations.base import Operation


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


class CreateTogether(Operation):
    """Creates the tables of many models at once, with their constraints and indexes among the options of each.

    Django renders what is related to a model, which is nearly everything, for each operation that follows it. Here the
    models are described first and rendered once, when the first table is made.
    """

    serialization_expand_args = ["models"]  # `squashmigrations` writes by it

    def __init__(self, models: Sequence[migrations.CreateModel]) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Describe the models; whatever was rendered is rendered anew by whoever asks for it next."""
        state.__dict__.pop("apps", None)
        for model in self.models:
            model.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the tables."""
        for model in self.models:
            model.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the tables, last made first."""
        for model in reversed(self.models):
            model.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Say what it does, as `migrate --plan` and `sqlmigrate` print it."""
        return f"Create {len(self.models)} models together"
