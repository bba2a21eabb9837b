# SPDX-License-Identifier: Apache-2.0
"""summary.py FILE...: adds up JUnit reports. Prints every skip with its reason, every failure's name, and last the plain count."""
import sys
import xml.etree.ElementTree as ElementTree

passed, failed, skipped = 0, [], []
for path in sys.argv[1:]:
    for case in ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif (skip := case.find("skipped")) is not None:
            skipped.append((name, skip.get("message") or (case.findtext("system-out") or "").strip() or "no reason given"))
        else:
            passed += 1
for name, why in skipped:
    print(f"skipped {name}: {why}")
for name in failed:
    print(f"failed {name}")
if not passed and not failed:
    print("no test has that name")
print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
sys.exit(1 if failed or not passed else 0)
