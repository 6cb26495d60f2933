"""The Robot API under its older module name: scripts that import `gopherbot_v1` get the same Robot."""

from gopherbot_v2 import Attribute, DirectBot, FormattedBot, Memory, Reply, Robot, RobotError, ThreadedBot  # noqa: F401
