"""Package managers in the mount: a virtual environment of Python with compiled packages, and npm with programs, nested
packages and a native program. What was installed runs, also after a remount, and removing it leaves nothing.
"""

import json
import os
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk

# Each with a compiled part; lxml's is several MiB.
PYTHON_PACKAGES = ("MarkupSafe==2.1.5", "PyYAML==6.0.2", "lxml==5.3.0", "msgpack==1.1.0")
PYTHON_SCRIPT = """
import lxml.etree, markupsafe, msgpack, yaml
import markupsafe._speedups, yaml._yaml, msgpack._cmsgpack
document = lxml.etree.fromstring("<jar><handle/><handle/></jar>")
print(len(document), yaml.safe_load("handles: 2")["handles"], msgpack.unpackb(msgpack.packb([2]))[0],
      markupsafe.escape("<"))
"""
# Debian's node 18 must do. mocha brings some eighty packages and programs, esbuild a native program.
NODE_PACKAGES = {"mocha": "10.8.2", "esbuild": "0.24.2"}


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


class PackagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(4096))

    def test_pip_installs_into_a_virtual_environment(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            environment = {"PIP_CACHE_DIR": str(mount.point / "cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                           "PIP_ROOT_USER_ACTION": "ignore"}
            mount.run("python3", "-m", "venv", "venv")
            mount.run("venv/bin/pip", "install", "-q", *PYTHON_PACKAGES, environment=environment)
            mount.run("venv/bin/pip", "check", environment=environment)
            for _ in range(2):
                self.assertEqual(mount.run("venv/bin/python", "-c", PYTHON_SCRIPT).stdout, "2 2 2 &lt;\n")
                mount.remount()
            # What Python compiled is not stale: it tells by each source's time and size.
            imported = mount.run("venv/bin/python", "-v", "-c", "import yaml").stdout
            self.assertRegex(imported, r"(?m)^# \S+\.pyc matches \S+/yaml/__init__\.py$")
            self.assertNotRegex(imported, r"(?m)^# bytecode is stale ")
            mount.run("venv/bin/pip", "install", "-q", "--force-reinstall", "--no-deps", PYTHON_PACKAGES[0],
                      environment=environment)
            mount.run("venv/bin/pip", "uninstall", "-q", "-y", "lxml", environment=environment)
            self.assertEqual(list((mount.point / "venv/lib").glob("python3*/site-packages/lxml*")), [])
            mount.run("rm", "-rf", "venv", "cache")
            self.assertEqual(os.listdir(mount.point), [])

    def test_npm_installs_programs_and_nested_packages(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            environment = {"npm_config_cache": str(mount.point / "cache"), "npm_config_update_notifier": "false"}
            project = mount.point / "project"
            (project / "test").mkdir(parents=True)
            (project / "package.json").write_text(json.dumps({
                "name": "project", "version": "1.0.0", "private": True, "dependencies": NODE_PACKAGES,
                "scripts": {"test": "mocha", "build": "esbuild jar.js --bundle --outfile=bundle.js"}}))
            (project / "jar.js").write_text("exports.handles = () => 2;\n")
            (project / "test/jar.js").write_text(
                "const { strictEqual } = require('assert');\n"
                "it('has two handles', () => strictEqual(require('../jar.js').handles(), 2));\n")

            def npm(*words):
                return mount.run("npm", "--prefix", project, *words, environment=environment).stdout

            npm("install", "--no-fund", "--no-audit", "--loglevel=error")
            npm("ls", "--all")
            for _ in range(2):
                self.assertIn("1 passing", npm("test"))
                npm("run", "build")
                self.assertIn("handles", (project / "bundle.js").read_text())
                mount.remount()
            npm("ci", "--no-fund", "--no-audit", "--prefer-offline", "--loglevel=error")
            self.assertIn("1 passing", npm("test"))
            npm("uninstall", "--no-fund", "--no-audit", *NODE_PACKAGES)
            self.assertEqual(list(project.glob("node_modules/**/package.json")), [])


if __name__ == "__main__":
    unittest.main()
