"""What the page's tests share."""

from tests.support.browser import open_page

__all__ = ["open_page"]
