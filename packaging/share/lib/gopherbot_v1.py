"""The Robot API under its older module name: scripts that import `gopherbot_v1` get the same Robot.

Only the name is old. Scripts for Python 2 have to become scripts for Python 3 first.
"""

from gopherbot_v2 import Attribute, DirectBot, FormattedBot, Memory, Reply, Robot, RobotError, ThreadedBot

__all__ = ["Attribute", "DirectBot", "FormattedBot", "Memory", "Reply", "Robot", "RobotError", "ThreadedBot"]
