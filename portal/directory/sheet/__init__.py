"""The contact sheet: whom to call for what when the portal itself is down."""
