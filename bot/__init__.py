"""An incident-response bot for the I.O.R.A. services."""

__version__ = "0.1.0"
