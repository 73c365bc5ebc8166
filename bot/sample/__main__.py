"""``python -m bot.sample``: the sample service as a process of its own."""

import sys

from bot.sample.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
