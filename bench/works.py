"""The names of what is measured, in the order of the tables."""

PREVIEW = "preview, nothing to do"
UP = "`up`, nothing to do"
VERIFY = "`verify.py`"
NOTHING_TO_DO = (PREVIEW, UP, VERIFY)

INSTALL = "install (sync)"
UPGRADE = "newer plugin version"
TO_ASYNC = "sync to async"
TO_SYNC = "async to sync"
DESTROY = "uninstall"
CHANGES = (INSTALL, UPGRADE, TO_ASYNC, TO_SYNC, DESTROY)
