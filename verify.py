"""Verifies that every gateway pod is protected: `python verify.py --stack dev` (docs/verification.md)."""

import sys

from traceable_kong.command_line import verify_command

if __name__ == "__main__":
    sys.exit(verify_command.main(sys.argv[1:], command="verify.py"))
