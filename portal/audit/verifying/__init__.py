"""Verification: everything is read again and compared with the chain of seals, and every difference is named.

Nothing here believes a count, an index or a former result. What is found is told in the trail, so that an auditor also
sees when it was last looked, by whom, and what came of it.
"""

from portal.audit.verifying.report import Finding, Kind, Report
from portal.audit.verifying.runs import is_due, run
from portal.audit.verifying.whole import verify

__all__ = ["Finding", "Kind", "Report", "is_due", "run", "verify"]
