import runpy
import sys

sys.argv.append("uvloop")
runpy.run_module("asyncio_server", run_name="__main__")
