"""Messages of other packages that people meet here and that bring no Korean.

Nothing imports this file: ``python -m tests.translations config`` collects it, and the
portal's own catalogue then answers for the packages. What only programmers meet, such
as the checks of a package, is left out.
"""

from django.utils.translation import gettext_noop

# django.contrib.admin: the heading of a filter, whose Korean reads like a form letter.
gettext_noop(" By %(filter_title)s ")

# mptt: what its forms, its moves and its admin say.
gettext_noop("mptt")
gettext_noop("Invalid parent")
gettext_noop("First child")
gettext_noop("Last child")
gettext_noop("Left sibling")
gettext_noop("Right sibling")
gettext_noop("A node may not be made a child of itself.")
gettext_noop("A node may not be made a child of any of its descendants.")
gettext_noop("A node may not be made a sibling of itself.")
gettext_noop("A node may not be made a sibling of any of its descendants.")
gettext_noop("Cannot insert a node which has already been saved.")
gettext_noop("An invalid position was given: %s.")
gettext_noop("Successfully deleted %(count)d items.")
gettext_noop("Delete selected %(verbose_name_plural)s")
gettext_noop("Did not understand moving instruction.")
gettext_noop("Objects have disappeared, try again.")
gettext_noop("No permission")
gettext_noop("Database error: %s")
gettext_noop("%s has been successfully moved.")
gettext_noop("move node before node")
gettext_noop("move node to child position")
gettext_noop("move node after node")
gettext_noop("Collapse tree")
gettext_noop("Expand tree")

# guardian: its permission pages and forms.
gettext_noop("Object permissions")
gettext_noop("Permissions")
gettext_noop("User permissions")
gettext_noop("Group permissions")
gettext_noop("Manage user")
gettext_noop("Manage group")
gettext_noop("Object")
gettext_noop("object ID")
gettext_noop("User identification")
gettext_noop("This user does not exist")
gettext_noop("This group does not exist")
gettext_noop("Enter a value compatible with User.USERNAME_FIELD")

# axes: attempts to sign in, for superusers.
gettext_noop("access attempt")
gettext_noop("access attempts")
gettext_noop("access attempt expiration")
gettext_noop("access attempt expirations")
gettext_noop("access failure")
gettext_noop("access failures")
gettext_noop("access log")
gettext_noop("access logs")
gettext_noop("Access Attempt")
gettext_noop("Access lock out")
gettext_noop("Attempt Remaining")
gettext_noop("Attempt Time")
gettext_noop("Clean up expired attempts")
gettext_noop("Expires At")
gettext_noop("Failed Logins")
gettext_noop("Form Data")
gettext_noop("GET Data")
gettext_noop("HTTP Accept")
gettext_noop("IP Address")
gettext_noop("Locked Out")
gettext_noop("Logout Time")
gettext_noop("Meta Data")
gettext_noop("Not set")
gettext_noop("POST Data")
gettext_noop("Session key hash (sha256)")
gettext_noop("The time when access attempt expires and is no longer valid.")
gettext_noop("User Agent")
gettext_noop("Account locked: too many login attempts. Please try again later.")

# django_tasks_db: work in the background, for superusers.
gettext_noop("Tasks Database Backend")
gettext_noop("Task Result")
gettext_noop("Task Results")
gettext_noop("args kwargs")
gettext_noop("backend name")
gettext_noop("enqueued at")
gettext_noop("exception class path")
gettext_noop("finished at")
gettext_noop("queue name")
gettext_noop("return value")
gettext_noop("run after")
gettext_noop("started at")
gettext_noop("task path")
gettext_noop("traceback")
gettext_noop("worker id")

# Names of apps, which their packages do not mark for translation.
gettext_noop("Axes")
