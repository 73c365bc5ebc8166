from tests.support.valid import everything_is_valid

__all__ = ["everything_is_valid"]
