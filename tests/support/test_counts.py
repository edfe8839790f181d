#!/usr/bin/env python3
"""test_counts.py TESTLOG.json: one line of counts from Meson's test log, then the names of what failed or was skipped.

Meson's own summary goes to the terminal only and cannot be joined over several runs."""
import json
import sys

WORDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "FAIL": "failed", "ERROR": "failed", "TIMEOUT": "failed",
         "INTERRUPT": "failed", "UNEXPECTEDPASS": "failed", "SKIP": "skipped"}


def main() -> int:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    named = []
    with open(sys.argv[1], encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            word = WORDS[test["result"]]
            counts[word] += 1
            if word != "passed":
                named.append(f"{test['name']} ({test['result'].lower()})")
    print(", ".join(f"{count} {word}" for word, count in counts.items()) + ("; " + ", ".join(named) if named else ""))
    return 0 if sum(counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
