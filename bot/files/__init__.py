"""Config and runbooks from YAML, with errors that say where."""
