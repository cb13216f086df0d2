"""From a folder of pictures to a network whose decisions can be seen."""
