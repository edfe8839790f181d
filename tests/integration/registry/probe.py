"""What the tests of src/registry share: the probe, and a report."""
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Answer:
    def __init__(self, code: int, document: dict):
        self.code, self.log, self.waits = code, document["log"], document["waits"]
        self.result = document.get("result")
        self.error = document.get("error")
        self.message = document.get("message", "")


class Test:
    """`check` collects complaints; `end` prints them and exits."""

    def __init__(self, probe: str):
        self.probe = probe
        self.failed = 0

    def ask(self, host: str, repository: str, *words, timeout: float = 60, **settings) -> Answer:
        """settings: insecure=True, login="u:p", token=..., ca=PATH, slow_ms=N, pause_ms=N, stop=True, landlock=True, proxy=URL."""
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        if "proxy" in settings:
            environment |= {"https_proxy": settings["proxy"], "http_proxy": settings["proxy"]}
        environment |= {f"PROBE_{name.upper()}": "1" if value is True else str(value) for name, value in settings.items()}
        run = subprocess.run([self.probe, host, repository, *map(str, words)], env=environment, text=True, timeout=timeout,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        try:
            return Answer(run.returncode, json.loads(run.stdout))
        except ValueError:
            raise AssertionError(f"{words}: code {run.returncode}, {run.stdout!r} {run.stderr!r}") from None

    def check(self, name: str, *complaints) -> None:
        """A complaint is falsy if all is well, else the text to print."""
        found = [text for text in complaints if text]
        print(f"{'FAIL' if found else 'ok  '} {name}", flush=True)
        for text in found:
            print(f"     {text}")
        self.failed += bool(found)

    def equal(self, name: str, got, wanted, answer: Answer | None = None) -> None:
        self.check(name, got != wanted and f"{got!r} instead of {wanted!r} {answer.message if answer else ''}")

    def fails(self, name: str, answer: Answer, code: str, *parts: str, never: tuple[str, ...] = ()) -> None:
        """An error of this code whose message has these parts, and nowhere one of `never`."""
        everything = json.dumps([answer.message, answer.log, answer.error])
        self.check(name, answer.error is None and f"no failure: {answer.result}",
                   answer.error is not None and answer.error["code"] != code and f"{answer.error['code']}: {answer.message}",
                   *(part not in answer.message and f"no {part!r} in: {answer.message}" for part in parts),
                   *(word in everything and f"{word!r} is told" for word in never))

    def end(self) -> None:
        sys.exit(1 if self.failed else 0)
