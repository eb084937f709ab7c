"""The one converter of all tests, and the folder where what is large lies: all processes of a test run use the same."""

import atexit
import os
import shutil
import tempfile

from runtime.payloads import data_converter

PLACE = "GONOGO_PAYLOADS"
if PLACE not in os.environ:
    os.environ[PLACE] = tempfile.mkdtemp(prefix="gonogo-payloads-")
    atexit.register(shutil.rmtree, os.environ[PLACE], ignore_errors=True)
PLACE_OF_ALL = os.environ[PLACE]
DATA_CONVERTER = data_converter(PLACE_OF_ALL)
