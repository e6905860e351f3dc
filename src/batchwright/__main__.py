"""``python -m batchwright``: the command line."""

import sys

from batchwright.cli import main

if __name__ == "__main__":
    sys.exit(main())
