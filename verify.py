"""Verifies that every gateway pod is protected: `python verify.py --stack dev` (docs/verification.md)."""

import sys
from pathlib import Path

from traceable_kong.command_line import verify_command
from traceable_kong.common.quick_exit import leave

if __name__ == "__main__":
    leave(verify_command.main(sys.argv[1:], command="verify.py", project=Path(__file__).parent))
