"""Runs the cases of some modules: main.py MODULE,… --list, or main.py MODULE,… ADDRESS PREFIX CASE…"""

import importlib
import sys

import harness

for module in sys.argv[1].split(","):
    importlib.import_module(module)
harness.main(sys.argv[2:])
