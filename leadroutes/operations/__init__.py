"""WHAT AN OPERATOR DOES. Backup, restore, import, export, erasure, the doctor, the live view."""
