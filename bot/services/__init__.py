"""Use cases, the only writers: read, decide, write in one transaction.

The functions that take a ``Tx`` are given to ``Database.write`` or ``Database.read``.
"""
