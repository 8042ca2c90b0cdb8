"""An app whose history has a fault; the settings beside it choose which one."""
