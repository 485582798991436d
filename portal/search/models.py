"""No models: Django tells an app of migrations only when it has this module."""
