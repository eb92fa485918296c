"""`python -m cxkit` is the same program as `cxkit`."""

import sys

from cxkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
