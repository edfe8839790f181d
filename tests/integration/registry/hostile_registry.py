#!/usr/bin/env python3
"""src/registry against registries that lie, drip, loop and cut.

usage: hostile_registry.py REGISTRY_PROBE"""
import base64
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from probe import OCI_MANIFEST, Test, sha256
from fake_registry import FakeRegistry
from registry_server import make_authority

MANIFEST = b'{"schemaVersion":2}'
SECRET = "hunter2-hunter2"
LOGIN = "someone:" + SECRET
BASIC = "Basic " + base64.b64encode(LOGIN.encode()).decode()
SLOW_MS = 600  # the window of the speed limit in these tests; 30 s for users
TRIES = 5
SOON = 0.02


class Hostile:
    def __init__(self, test: Test, registry: FakeRegistry, other: FakeRegistry, plain: FakeRegistry, ca: Path):
        self.test, self.registry, self.other, self.plain, self.ca = test, registry, other, plain, ca
        self.blob = os.urandom(400_000)

    def ask(self, *words, **settings):
        return self.test.ask(self.registry.host, "some/image", *words, ca=self.ca, **settings)

    def fresh(self) -> FakeRegistry:
        for each in (self.registry, self.other, self.plain):
            each.clear()
        return self.registry

    def manifest(self, answer, reference: str = "latest", **settings):
        self.fresh().on("GET", "/v2/some/image/manifests/*", answer)
        return self.ask("manifest", reference, **settings)

    def get_blob(self, answer, **settings):
        self.fresh().on("GET", "/v2/some/image/blobs/*", answer)
        return self.ask("blob", sha256(self.blob), len(self.blob), **settings)

    def whole(self, name: str, answer, *complaints) -> None:
        good = answer.result == {"sha256": sha256(self.blob)[7:], "size": len(self.blob)}
        self.test.check(name, not good and f"{answer.result} {answer.message}", *complaints)

    # ---- what is not what it claims to be ----
    def lies(self) -> None:
        fails = self.test.fails
        fails("another manifest than asked for", self.manifest(lambda c: c.reply(200, MANIFEST), sha256(b"other")),
              "corrupt", sha256(MANIFEST), sha256(b"other"))
        fails("a manifest with another digest than claimed",
              self.manifest(lambda c: c.reply(200, MANIFEST, Docker_Content_Digest=sha256(b"other"))), "corrupt", sha256(b"other"))
        answer = self.manifest(lambda c: c.reply(200, MANIFEST, Docker_Content_Digest="sha512:0", Content_Type=OCI_MANIFEST + "; charset=x"))
        self.test.equal("a claim in another algorithm says nothing", answer.result,
                        {"digest": sha256(MANIFEST), "type": OCI_MANIFEST, "size": len(MANIFEST)}, answer)
        fails("HEAD answers for another digest", self.head_lies(), "corrupt")
        fails("a giant manifest with its length", self.manifest(lambda c: c.head(200, Content_Length=5 << 20)), "limit", "4194304")
        fails("a giant manifest without its length", self.manifest(self.endless), "limit", "4194304")
        fails("a blob of another length", self.get_blob(lambda c: c.reply(200, self.blob[:-1])), "corrupt", "399999", "400000")
        fails("a blob that goes on", self.get_blob(self.endless), "corrupt", "goes on after its 400000 bytes")
        fails("no HTTP at all", self.manifest(lambda c: (c.send(b"SSH-2.0-OpenSSH_9.2\r\n"), c.hang_up())), "system")
        fails("HTTP/0.9", self.manifest(lambda c: (c.send(MANIFEST), c.hang_up())), "system")
        fails("terminal escapes in an error", self.manifest(
            lambda c: c.reply(400, b'{"errors":[{"code":"\\u001b[2J","message":"\\u001b]0;x\\u0007"}]}')), "system", never=("\x1b", "\\u001b"))
        fails("a giant error body", self.manifest(lambda c: c.reply(400, b"x" * (8 << 20))), "system", "400")

    def head_lies(self):
        self.fresh().on("HEAD", "/v2/some/image/manifests/*", lambda c: c.reply(200, Docker_Content_Digest=sha256(b"1")))
        return self.ask("head", sha256(b"2"))

    @staticmethod
    def endless(call) -> None:
        call.head(200, Transfer_Encoding="chunked")
        while True:
            call.chunk(b"x" * 65536)

    # ---- headers ----
    def headers(self) -> None:
        fails = self.test.fails
        fails("one giant header", self.manifest(lambda c: c.reply(200, MANIFEST, X="y" * 80_000)), "limit", "64 KiB")
        fails("many headers", self.manifest(lambda c: c.reply(200, MANIFEST, **{f"X{i}": "y" for i in range(200)})), "limit", "100 lines")

        def interim(call) -> None:
            while True:
                call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        fails("interim responses for ever", self.manifest(interim), "limit")

        def trailers(call) -> None:
            call.head(200, Transfer_Encoding="chunked")
            call.chunk(MANIFEST)
            call.send(b"0\r\n" + b"X: y\r\n" * 100_000)
        fails("trailers for ever", self.manifest(trailers), "limit")

    # ---- slowness ----
    def slowness(self) -> None:
        def drip(call) -> None:
            call.head(200, Content_Length=len(self.blob))
            while True:
                call.send(b"x")
                time.sleep(SOON)

        def drip_headers(call) -> None:
            call.send(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                call.send(b"x")
                time.sleep(SOON)

        answer = self.get_blob(drip, slow_ms=SLOW_MS)
        self.test.fails("a body that drips", answer, "system", "fewer than")
        self.test.equal("it was tried again", len(answer.waits), TRIES - 1)
        self.test.fails("headers that drip", self.manifest(drip_headers, slow_ms=SLOW_MS), "system")
        self.test.fails("no answer", self.manifest(lambda c: time.sleep(2), slow_ms=SLOW_MS), "system", "nothing came within")
        # The reader may be as slow as it likes: ours is the time, not the registry's.
        self.whole("a slow reader", self.get_blob(lambda c: c.reply(200, self.blob), slow_ms=500, pause_ms=1000))
        self.test.fails("stopped meanwhile", self.manifest(lambda c: time.sleep(2), stop=True), "busy", "interrupted")

    # ---- redirects ----
    def redirects(self) -> None:
        fails = self.test.fails

        def to(where: str, status: int = 307):
            return lambda c: c.reply(status, Location=where)
        loop = self.manifest(to("/v2/some/image/manifests/latest"))
        fails("a redirect loop", loop, "denied", "more than 10 redirects")
        self.test.equal("it ends", len(self.registry.requests), 11)
        fails("a redirect to plain http", self.manifest(to(self.plain.url + "/x?sig=" + SECRET)), "denied", "plain http", never=(SECRET,))
        self.test.equal("which nobody saw", self.plain.requests, [])
        fails("a redirect to a file", self.manifest(to("file:///etc/passwd")), "invalid-argument", "only http")
        fails("a redirect with a password in it", self.manifest(to(f"https://a:{SECRET}@localhost:1/")), "invalid-argument", never=(SECRET,))
        fails("a redirect to nowhere", self.manifest(lambda c: c.reply(307)), "denied", "where to")
        fails("a giant redirect", self.manifest(to("/" + "a" * 20_000)), "invalid-argument", "8 KiB")

    def redirect_with_credentials(self) -> None:
        """A blob on another host: it comes, and our credentials stay here."""
        def registry(call) -> None:
            if call.seen.headers.get("authorization") != BASIC:
                call.reply(401, WWW_Authenticate='Basic realm="x"')
            else:
                call.reply(307, Location=f"{self.other.url}/cdn?sig={SECRET}")
        self.fresh().on("GET", "/v2/some/image/blobs/*", registry)
        self.other.on("GET", "/cdn", lambda c: c.reply(200, self.blob))
        answer = self.ask("blob", sha256(self.blob), len(self.blob), login=LOGIN)
        cdn = self.other.requests
        self.whole("a blob on another host", answer, len(cdn) != 1 and f"{len(cdn)} requests there",
                   *("authorization" in seen.headers and "it got the credentials" for seen in cdn),
                   SECRET in str(answer.log) and "the signed address is in the log")
        self.other.on("GET", "/cdn", lambda c: c.reply(401, WWW_Authenticate=f'Bearer realm="{self.other.url}/token"'))
        refused = self.ask("blob", sha256(self.blob), len(self.blob), login=LOGIN)
        self.test.fails("another host that asks for credentials", refused, "denied", "401", never=(SECRET,))
        self.test.check("gets none", *(seen.target != f"/cdn?sig={SECRET}" and seen.target for seen in self.other.requests))

        def back(call) -> None:
            call.reply(307, Location=f"{self.registry.url}/back")
        self.other.on("GET", "/cdn", back)
        self.registry.on("GET", "/back", lambda c: c.reply(200, self.blob))
        answer = self.ask("blob", sha256(self.blob), len(self.blob), login=LOGIN)
        last = self.registry.requests[-1]
        self.whole("sent there and back", answer, "authorization" in last.headers and "the credentials came back")

    # ---- challenges ----
    def challenges(self) -> None:
        fails = self.test.fails

        def bearer(realm: str):
            return lambda c: c.reply(401, WWW_Authenticate=f'Bearer realm="{realm}",service="s",scope="repository:some/image:pull"')

        def scene(realm: str, token) -> None:
            self.fresh().on("GET", "/v2/some/image/manifests/*", bearer(realm))
            self.other.on("*", "/token", token)
        good = lambda c: c.reply(200, b'{"token":"abc"}')

        scene(self.other.url + "/token", good)
        fails("401 for ever", self.ask("manifest", "latest", login=LOGIN), "denied", "401", "sbx login", never=(SECRET,))
        self.test.equal("one token is asked for", (len(self.registry.requests), len(self.other.requests)), (2, 1))
        self.test.equal("by Basic, at another host", self.other.requests[0].headers.get("authorization"), BASIC)
        self.test.equal("with the service and scope", self.other.requests[0].target,
                        "/token?service=s&scope=repository%3Asome%2Fimage%3Apull&client_id=sbx&account=someone")
        self.test.equal("and is used", self.registry.requests[1].headers.get("authorization"), "Bearer abc")

        scene(self.other.url + "/token", good)
        self.ask("manifest", "latest", token=SECRET)
        self.test.check("an identity token is posted",
                        self.other.requests[0].method != "POST" and self.other.requests[0].method,
                        SECRET.encode() not in self.other.requests[0].body and "it is not in the body",
                        SECRET in self.other.requests[0].target and "it is in the address")

        scene(self.plain.url + "/token", good)
        fails("a token server by plain http", self.ask("manifest", "latest", login=LOGIN), "denied", "plain http", never=(SECRET,))
        self.test.equal("sees nothing", self.plain.requests, [])

        scene(self.other.url + "/token", lambda c: c.reply(307, Location=self.plain.url + "/token"))
        fails("a token server that leads to plain http", self.ask("manifest", "latest", login=LOGIN), "denied", never=(SECRET,))
        self.test.equal("shows it nothing", self.plain.requests, [])

        scene(self.other.url + "/token", lambda c: c.reply(307, Location=self.registry.url + "/token"))
        self.registry.on("GET", "/token", good)
        self.ask("manifest", "latest", login=LOGIN)
        self.test.check("a token server that leads elsewhere shows it no password",
                        *("authorization" in seen.headers and seen.headers["authorization"].startswith("Basic") and seen.target
                          for seen in self.registry.requests))
        for name, body in {"a line break": b'{"token":"a\\r\\nX: y"}', "no token": b"{}", "no JSON": b"<html>",
                           "a deep document": b"[" * 5000}.items():
            scene(self.other.url + "/token", lambda c, body=body: c.reply(200, body))
            fails(f"a token with {name}", self.ask("manifest", "latest"), "corrupt", "token")
        scene(self.other.url + "/token", self.endless)
        fails("an endless token", self.ask("manifest", "latest"), "limit")
        scene(self.other.url + "/token", lambda c: c.reply(401, b'{"details":"incorrect username or password"}'))
        fails("a token server that refuses", self.ask("manifest", "latest", login=LOGIN), "denied", "incorrect username",
              "sbx login", never=(SECRET,))
        scene("file:///etc/passwd", good)
        fails("a realm that is a file", self.ask("manifest", "latest"), "invalid-argument")
        self.fresh().on("GET", "/v2/some/image/manifests/*", lambda c: c.reply(401, WWW_Authenticate='Digest realm="x"'))
        fails("a challenge nobody knows", self.ask("manifest", "latest", login=LOGIN), "denied", "401", never=(SECRET,))

    def token_ends(self) -> None:
        """A token that is not taken any more is replaced once, in the middle of a blob."""
        tokens = []

        def registry(call) -> None:
            if not tokens or call.seen.headers.get("authorization") != f"Bearer {tokens[-1]}":
                call.reply(401, WWW_Authenticate=f'Bearer realm="{self.other.url}/token"')
                return
            at = call.range_from()
            if at == 0:
                tokens.append("over")  # from now on none of those given fits
                call.head(200, Content_Length=len(self.blob))
                call.send(self.blob[:1000])
                call.cut()
            else:
                call.reply(206, self.blob[at:], Content_Range=f"bytes {at}-{len(self.blob) - 1}/{len(self.blob)}")

        def token(call) -> None:
            tokens.append(f"t{len(tokens)}")
            call.reply(200, b'{"token":"%s"}' % tokens[-1].encode())
        self.fresh().on("GET", "/v2/some/image/blobs/*", registry)
        self.other.on("GET", "/token", token)
        self.whole("a token that ends", self.ask("blob", sha256(self.blob), len(self.blob)),
                   tokens != ["t0", "over", "t2"] and str(tokens))

    # ---- what may pass ----
    def retries(self) -> None:
        def failing(times: int, status: int, **headers):
            left = [times]

            def answer(call) -> None:
                left[0] -= 1
                call.reply(status, **headers) if left[0] >= 0 else call.reply(200, MANIFEST)
            return answer
        answer = self.manifest(failing(2, 503))
        self.test.check("503 twice", answer.error and answer.message, len(answer.waits) != 2 and str(answer.waits))
        answer = self.manifest(failing(99, 500))
        self.test.fails("500 for ever", answer, "system", "500", "later")
        self.test.check("waits grow", len(answer.waits) != TRIES - 1 and str(answer.waits),
                        not 250 <= answer.waits[0] <= 500 and str(answer.waits), not 2000 <= answer.waits[3] <= 4000 and str(answer.waits))
        answer = self.manifest(failing(1, 429, Retry_After="7"))
        self.test.equal("Retry-After is obeyed", answer.waits, [7000], answer)
        answer = self.manifest(failing(1, 429, Retry_After="9999999"))
        self.test.equal("within reason", answer.waits, [60000], answer)
        self.test.fails("429 for ever", self.manifest(failing(99, 429)), "busy", "429", "sbx login")
        answer = self.manifest(failing(1, 404))
        self.test.equal("404 does not pass", (len(self.registry.requests), answer.waits), (1, []))

        def cut_first(call) -> None:
            call.cut() if len(self.registry.requests) == 1 else call.reply(200, MANIFEST)
        answer = self.manifest(cut_first)
        self.test.check("a connection cut before the answer", answer.error and answer.message)
        answer = self.test.ask("localhost:1", "some/image", "ping", ca=self.ca)
        self.test.fails("nobody there", answer, "system", "GET https://localhost:1/v2/", "proxy")
        self.test.equal("is no reason to wait", answer.waits, [])
        self.test.fails("no such name", self.test.ask("no-such-host.invalid", "x", "ping"), "system", "no-such-host.invalid", "resolv.conf")

    # ---- resuming ----
    def cuts(self) -> None:
        """100 random points, then what registries do wrong with Range."""
        generator = random.Random(2026)
        size = len(self.blob)

        def cutting(points: list[int], obey: bool = True, chunked: bool = False):
            left = sorted(points)

            def answer(call) -> None:
                at = call.range_from() if obey else 0
                end = next((point for point in left if point > call.range_from()), size)
                left[:] = [point for point in left if point > end]
                headers = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": size - at}
                if at:
                    call.head(206, Content_Range=f"bytes {at}-{size - 1}/{size}", **headers)
                else:
                    call.head(200, **headers)
                if chunked:
                    call.chunk(self.blob[at:end])
                else:
                    call.send(self.blob[at:end])
                if end == size:
                    call.send(b"0\r\n\r\n" if chunked else b"")
                elif generator.random() < 0.5:
                    call.cut()
                else:
                    call.hang_up()
            return answer
        spread = [generator.randrange(size * i // 50, size * (i + 1) // 50) for i in range(1, 50)]
        # Pieces of 8 KB are less than the progress that renews the tries: so at most 4 cuts in a row.
        for i in range(25):
            points = generator.sample(spread, 4)
            self.whole(f"cut at {points}", self.get_blob(cutting(points)))
        self.whole("cut, in chunks", self.get_blob(cutting([1000, 200_000], chunked=True)))
        answer = self.get_blob(cutting([1000, 200_000, 300_000], obey=False))
        self.whole("Range is ignored", answer, len(self.registry.requests) != 4 and f"{len(self.registry.requests)} requests")
        many = list(range(70_000, size, 70_000)) + list(range(35_000, size, 70_000))
        self.whole("cut often, with progress", self.get_blob(cutting(many)))
        answer = self.get_blob(cutting(list(range(1, 2000))))
        self.test.fails("cut after each byte", answer, "system")
        self.test.equal("is given up", len(self.registry.requests), TRIES)

        def short(call) -> None:
            call.head(200, Transfer_Encoding="chunked")
            call.chunk(self.blob[call.range_from():-10])
            call.send(b"0\r\n\r\n")
        self.test.fails("too short, and says so as if it were all", self.get_blob(short), "corrupt")

    def range_lies(self) -> None:
        size = len(self.blob)

        def lying(content_range: str, status: int = 206):
            def answer(call) -> None:
                if call.range_from() == 0:
                    call.head(200, Content_Length=size)
                    call.send(self.blob[:1000])
                    call.hang_up()
                else:
                    call.reply(status, self.blob[1000:], Content_Range=content_range)
            return answer
        self.whole("the honest one", self.get_blob(lying(f"bytes 1000-{size - 1}/{size}")))
        self.whole("the one that does not know the total", self.get_blob(lying(f"bytes 1000-{size - 1}/*")))
        for name, text in {"another begin": f"bytes 999-{size - 1}/{size}", "another total": f"bytes 1000-{size - 1}/{size + 1}",
                           "an end behind the end": f"bytes 1000-{size}/{size + 1}", "no sense": "bytes x", "nothing": ""}.items():
            self.test.fails(f"a range with {name}", self.get_blob(lying(text)), "corrupt", "from 1000 on")
        self.test.fails("a range that cannot be", self.get_blob(lying(f"bytes */{size}", 416)), "system", "416")

    # ---- lists ----
    def lists(self) -> None:
        fails, equal = self.test.fails, self.test.equal
        path = "/v2/some/image/tags/list"

        def pages(call) -> None:
            last = int(call.seen.target.partition("last=")[2] or 0)
            link = {"Link": f'<{path}?last={last + 1}>; rel="next"'} if last < 3 else {}
            call.reply(200, b'{"name":"some/image","tags":["t%d","u%d"]}' % (last, last), **link)
        self.fresh().on("GET", path, pages)
        equal("tags of four pages", self.ask("tags", 100).result,
              {"tags": [f"{letter}{i}" for i in range(4) for letter in "tu"], "complete": True})
        equal("as many as wanted", self.ask("tags", 3).result, {"tags": ["t0", "u0", "t1"], "complete": False})

        def tags(body: bytes, **headers):
            self.fresh().on("GET", path, lambda c: c.reply(200, body, **headers))
            return self.ask("tags", 100)
        equal("no tags", tags(b'{"tags":null}').result, {"tags": [], "complete": True})
        self.other.on("GET", path, lambda c: c.reply(200, b'{"tags":[]}'))
        fails("a next page at another host", tags(b'{"tags":["a"]}', Link=f'<{self.other.url}{path}>; rel="next"'), "denied", "another host")
        equal("which nobody asked", self.other.requests, [])
        fails("a next page that is a file", tags(b'{"tags":["a"]}', Link='<file:///etc/passwd>; rel="next"'), "invalid-argument")
        fails("a next page that is this one", tags(b'{"tags":["a"]}', Link=f'<{path}?n=100>; rel="next"'), "corrupt", "again")
        fails("a tag that is none", tags(b'{"tags":["../../etc"]}'), "corrupt", "cannot be one")
        fails("tags that are none", tags(b'{"tags":{"a":1}}'), "corrupt")
        self.fresh().on("GET", path, self.endless)
        fails("an endless list", self.ask("tags", 100), "limit")

        self.fresh().on("GET", "/v1/search", lambda c: c.reply(
            200, b'{"num_results":3,"results":[{"name":"a/b","description":"\\u001b","star_count":5,"is_official":true},{"name":"c"}]}'))
        equal("search", self.ask("search", "a&b", 10).result, {"found": [["a/b", "\x1b", 5, True], ["c", "", 0, False]], "complete": False})
        equal("for the whole term", self.registry.requests[-1].target, "/v1/search?q=a%26b&n=10")

        def catalog(call) -> None:
            call.reply(200, b'{"repositories":["x/Foo","bar"]}', Link=f'</v2/_catalog?n={len(self.registry.requests)}>; rel="next"')
        self.fresh().on("GET", "/v2/_catalog", catalog)
        answer = self.ask("search", "foo", 100)
        self.test.check("a catalog without an end", answer.error and answer.message, answer.result["complete"] and "it is complete?",
                        len(self.registry.requests) > 30 and f"{len(self.registry.requests)} requests")
        index = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[' \
            b'{"mediaType":"%s","digest":"%s","size":2}]}' % (OCI_MANIFEST.encode(), sha256(b"{}").encode())
        self.fresh().on("GET", "/v2/some/image/referrers/*", lambda c: c.reply(200, index))
        equal("referrers", self.ask("referrers", sha256(b"x")).result, [sha256(b"{}")])

    # ---- uploads ----
    def uploads(self, folder: Path) -> None:
        small, large = folder / "small", folder / "large"
        small.write_bytes(b"content")
        large.write_bytes(os.urandom(1 << 20) * 70)
        size = large.stat().st_size
        fails = self.test.fails

        def scene(put=None, patch=None, location: str = "/upload?state=1"):
            server = self.fresh()
            server.on("POST", "/v2/some/image/blobs/uploads/", lambda c: c.reply(202, Location=location))
            server.on("PUT", "/upload", put or (lambda c: c.reply(201)))
            server.on("PATCH", "/upload", patch or (lambda c: c.reply(202, Location=location)))
            return server
        scene()
        answer = self.ask("upload", small)
        self.test.equal("an upload", [(s.method, s.target, s.body) for s in self.registry.requests],
                        [("POST", "/v2/some/image/blobs/uploads/", b""),
                         ("PUT", f"/upload?state=1&digest=sha256%3A{sha256(b'content')[7:]}", b"content")], answer)
        scene(put=lambda c: c.reply(201, Docker_Content_Digest=sha256(b"x")))
        fails("stored as something else", self.ask("upload", small), "corrupt", "something else")
        scene(location="http://" + self.plain.host + "/upload")
        fails("an upload led to plain http", self.ask("upload", small), "denied", "plain http")
        self.test.equal("is not sent there", self.plain.requests, [])
        scene(location=self.other.url + "/upload")
        self.other.on("PUT", "/upload", lambda c: c.reply(201))
        self.registry.on("POST", "/v2/some/image/blobs/uploads/", lambda c: c.reply(202, Location=self.other.url + "/upload")
                         if c.seen.headers.get("authorization") == BASIC else c.reply(401, WWW_Authenticate="Basic"))
        answer = self.ask("upload", small, login=LOGIN)
        self.test.check("an upload at another host", answer.error and answer.message,
                        *("authorization" in s.headers and "it got the credentials" for s in self.other.requests),
                        len(self.other.requests) != 1 and "it came not")
        scene(location="")
        fails("an upload that goes on nowhere", self.ask("upload", small), "corrupt", "Location")
        scene(put=lambda c: c.reply(302, Location="/elsewhere"))
        fails("a PUT redirected by 302", self.ask("upload", small), "denied", "cannot be redirected")
        scene(put=lambda c: c.reply(413))
        fails("too large for it", self.ask("upload", small), "limit", "413")
        scene(patch=lambda c: c.reply(202, Location="/upload", Range=f"0-{size * 2}"))
        fails("it claims to have more than was sent", self.ask("upload", large), "corrupt", "claims")
        scene(patch=lambda c: c.reply(202, Location="/upload", Range="0-0"))
        fails("it takes nothing", self.ask("upload", large), "system", "took nothing")

        def forgets(call) -> None:
            call.reply(500)
        scene(patch=forgets).on("GET", "/upload", lambda c: c.reply(404))
        fails("it fails for ever", self.ask("upload", large), "system", "500")
        scene(patch=lambda c: c.reply(405))
        answer = self.ask("upload", large)
        self.test.check("it takes no pieces", answer.error and answer.message,
                        [len(s.body) for s in self.registry.requests if s.method == "PUT"] != [size] and "it did not come whole")
        scene().on("POST", "/v2/some/image/blobs/uploads/", lambda c: c.reply(403) if "mount=" in c.seen.target else
                   c.reply(202, Location="/upload"))
        answer = self.ask("mount", sha256(b"content"), "secret/image", small)
        self.test.equal("a mount it does not allow is none", answer.result, {"mounted": False}, answer)
        gone = []

        def offered(call) -> None:
            gone.append(call.seen.target)
            call.reply(404 if "gone" in call.seen.target else 201)
        scene(put=offered).on("POST", "/v2/some/image/blobs/uploads/", lambda c: c.reply(
            202, Location="/upload?gone" if "mount=" in c.seen.target else "/upload"))
        answer = self.ask("mount", sha256(b"content"), "other/image", small)
        self.test.check("an offered upload that is gone", answer.error and answer.message, len(gone) != 2 and str(gone))
        has = []

        def half(call) -> None:
            """Takes half of each piece, and says so."""
            first, last = map(int, call.seen.headers["content-range"].split("-"))
            if first != len(b"".join(has)) or len(call.seen.body) != last - first + 1:
                call.reply(416)
                return
            has.append(call.seen.body[:len(call.seen.body) // 2 + 1])
            call.reply(202, Location="/upload", Range=f"0-{first + len(has[-1]) - 1}")
        scene(patch=half)
        answer = self.ask("upload", large)
        self.test.check("it takes half of each piece", answer.error and answer.message,
                        b"".join(has) != large.read_bytes() and "something else arrived")

    def proxies(self) -> None:
        self.fresh()
        self.plain.on("CONNECT", "*", lambda c: (c.reply(403), c.hang_up()))
        answer = self.ask("manifest", "latest", login=LOGIN, proxy=f"http://{self.plain.host}")
        self.test.fails("a proxy that refuses", answer, "system", "403", "proxy", never=(SECRET,))
        self.test.equal("is asked once", [seen.target for seen in self.plain.requests], [self.registry.host])
        self.test.check("and told nothing", "authorization" in self.plain.requests[0].headers and "it got the credentials")

    def plain_fallback(self) -> None:
        self.fresh()
        self.plain.on("GET", "/v2/*", lambda c: c.reply(200, b"{}"))
        answer = self.test.ask(self.plain.host, "x", "ping", insecure=True)
        self.test.equal("insecure: plain http when TLS does not answer", answer.result, True, answer)
        self.test.fails("otherwise never", self.test.ask(self.plain.host, "x", "ping"), "system", "--tls-verify")
        self.test.check("not a byte of HTTP was sent", len(self.plain.requests) != 2 and str(self.plain.requests))


def main() -> None:
    test = Test(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp"), prefix="sbx-") as folder:
        ca, certificate, key = make_authority(Path(folder) / "tls")
        with FakeRegistry(certificate, key) as registry, FakeRegistry(certificate, key) as other, FakeRegistry() as plain:
            hostile = Hostile(test, registry, other, plain, ca)
            for part in (hostile.lies, hostile.headers, hostile.slowness, hostile.redirects, hostile.redirect_with_credentials,
                         hostile.challenges, hostile.token_ends, hostile.retries, hostile.cuts, hostile.range_lies,
                         hostile.lists, lambda: hostile.uploads(Path(folder)), hostile.proxies,
                         hostile.plain_fallback):
                part()
    test.end()


if __name__ == "__main__":
    main()
