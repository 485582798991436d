"""The admin site of the portal."""

from django.contrib.admin import AdminSite


class PortalAdminSite(AdminSite):
    """Django's admin site under the portal's name."""

    site_title = "Watchbook"
    site_header = "Watchbook"
