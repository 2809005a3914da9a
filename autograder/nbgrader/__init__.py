"""nbgrader as its users know it, with our execution underneath: what a class's nbgrader_config.py names."""
