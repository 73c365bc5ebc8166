"""``python -m bot`` is ``iora``."""

from bot.cli import main

if __name__ == "__main__":
    main()
