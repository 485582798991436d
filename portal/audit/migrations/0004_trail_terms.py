"""One index finds words, changed fields and days of the trail on PostgreSQL, without stopping anybody who writes."""

from django.db import migrations

# What a row is found by: its day, the fields that it changed, the words of its reason, and the name and reference of
# its object whenever they were given: on everything but plain changes, and on changes of the name itself. What is
# longer than the database can hold as one word, or as one reason, is left out rather than refused. The cost keeps
# the planner from computing this for many rows, and from doing so in parallel.
FUNCTION = """
CREATE OR REPLACE FUNCTION audit_trail_terms(
  at timestamptz, action text, model text, fields text, reason text, name text, reference text
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE COST 200 AS $terms$
DECLARE
  terms tsvector := array_to_tsvector(ARRAY['d:' || ((at AT TIME ZONE 'UTC')::date - DATE '2000-01-01')]);
  words text := left(reason, 4000);
BEGIN
  IF action <> 'changed' THEN
    words := words || ' ' || name || ' ' || reference;
  ELSIF fields <> '' THEN
    terms := terms || array_to_tsvector(
      string_to_array('f:' || model || '.' || replace(btrim(fields), ' ', ' f:' || model || '.'), ' '));
    IF fields ~ ' (name|title|username|first_name|last_name|slug) ' THEN
      words := words || ' ' || name || ' ' || reference;
    END IF;
  END IF;
  IF words <> '' THEN
    terms := terms || to_tsvector('pg_catalog.simple', translate(words, '-_/.:,;@+', '         '));
  END IF;
  RETURN terms;
END $terms$
"""
INDEX = """
CREATE INDEX CONCURRENTLY trail_by_terms ON audit_trail
USING gin (audit_trail_terms(at, action, model, fields, reason, name, reference)) WITH (fastupdate = off)
"""


def add(apps, schema_editor):
    """Make the function and the index; an index that an interrupted run left behind is made anew."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(FUNCTION)
    schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS trail_by_terms")
    schema_editor.execute(INDEX)


def remove(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS trail_by_terms")
    schema_editor.execute("DROP FUNCTION IF EXISTS audit_trail_terms(timestamptz, text, text, text, text, text, text)")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("audit", "0003_seals")]

    operations = [migrations.RunPython(add, remove)]
