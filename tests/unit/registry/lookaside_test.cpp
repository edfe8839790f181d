#include "registry/lookaside.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

const std::string kHex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string url(const ConfigFixture& f, const std::string& name) {
  const auto lookaside = Lookaside::load(f.env);
  if (!lookaside) {
    return lookaside.error().message();
  }
  return lookaside->url(oci::Reference::parse(name).value(), *oci::Digest::from_hex(kHex), 2);
}

std::string refused(const std::string& yaml) {
  const auto parsed = parse_lookaside(yaml, "/r.yaml");
  return parsed ? std::string("accepted") : parsed.error().message();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("scopes, the most specific first") {
  const auto scopes = [](const std::string& name, bool wildcards) {
    return scopes_of(oci::Reference::parse(name).value(), wildcards);
  };
  CHECK(scopes("a.example.com:5000/n/r:1", true) ==
        std::vector<std::string>{"a.example.com:5000/n/r:1", "a.example.com:5000/n/r",
                                 "a.example.com:5000/n", "a.example.com:5000", "*.example.com",
                                 "*.com"});
  CHECK(scopes("busybox", false) == std::vector<std::string>{"docker.io/library/busybox:latest",
                                                             "docker.io/library/busybox",
                                                             "docker.io/library", "docker.io"});
  CHECK(scopes("q.io/r:1@sha256:" + kHex, false).front() == "q.io/r@sha256:" + kHex);
  CHECK(scopes("[::1]:5000/r:1", true).back() == "[::1]:5000");
}

TEST_CASE("a signature's place: the most specific scope that has one") {
  const ConfigFixture f;
  CHECK(url(f, "q.io/n/r") == "file://" + f.env.home +
                                  "/.local/share/containers/sigstore/n/r@sha256=" + kHex +
                                  "/signature-2");
  f.write("/etc/containers/registries.d/a.yaml", R"(
# comment
default-docker:
  lookaside-staging: file:///staging
  lookaside: "https://default.io/s/"
docker:
  q.io:
    sigstore: https://old.io/s
  q.io/n:
    sigstore: https://old.io/n
    lookaside: https://new.io/n
    use-sigstore-attachments: true
  q.io/n/r:2: {lookaside: 'http://localhost:80/x'}
  q.io/m:
    use-sigstore-attachments: true
  q.io/e:
)");
  const std::string end = "@sha256=" + kHex + "/signature-2";
  CHECK(url(f, "q.io/n/r:1") == "https://new.io/n/n/r" + end);
  CHECK(url(f, "q.io/n/r:2") == "http://localhost:80/x/n/r" + end);
  CHECK(url(f, "q.io/m") == "https://old.io/s/m" + end);
  CHECK(url(f, "q.io/e") == "https://old.io/s/e" + end);
  CHECK(url(f, "busybox") == "https://default.io/s/library/busybox" + end);

  f.write("~/.config/containers/registries.d/b.yaml",
          "docker:\n  q.io:\n    lookaside: http://b.io\n");
  CHECK(has(url(f, "q.io/m"), "a.yaml says something of q.io already"));
  f.write("~/.config/containers/registries.d/a.yaml", "");
  CHECK(url(f, "q.io/m") == "http://b.io/m" + end);
  CHECK(has(url(f, "busybox"), "file:///"));
}

TEST_CASE("what is no such YAML is refused with its line") {
  CHECK(has(refused("a: [1"), "cannot read '/r.yaml': line "));
  CHECK(has(refused("docker: [1]"), "line 1: docker is not a mapping"));
  CHECK(has(refused("docker:\n  q.io: text"), "line 2: 'q.io' is not a mapping"));
  CHECK(has(refused("docker:\n  q.io:\n    lookaside: ftp://x"), "line 3: "));
  CHECK(has(refused("docker:\n  q.io:\n    lookaside: https://x/?q"), "line 3: "));
  CHECK(has(refused("docker:\n  q.io:\n    lookaside: [a]"), "line 3: "));
  CHECK(has(refused("docker:\n  q.io: {}\n  q.io: {}"), "line 3: 'q.io' stands there twice"));
  CHECK(has(refused("docker:\n  '': {}"), "is empty"));
  CHECK(has(refused("[a]: b"), "not text"));
  CHECK(has(refused("text"), "is not a mapping"));
  CHECK(has(refused("x: &a [*a]\n<<: *a"), "merge key"));
  CHECK(refused("x: &a [*a]\nother: {deep: {deep: [1]}}") == "accepted");
  CHECK(refused("") == "accepted");
  CHECK(refused("---\n...\n") == "accepted");
  CHECK(has(refused("---\na: b\n---\na: b\n"), "more than one document"));
  CHECK(has(refused(std::string(1001, '[')), "more than 65536 bytes or 1000 brackets"));
  CHECK(has(refused(std::string((64U << 10U) + 1, ' ')), "more than 65536 bytes"));
  for (const char* nested : {"- ", "? ", "[", "{a: ", "&a ", "!a ", "a: ", "'", "%", "a\n"}) {
    std::string yaml;
    while (yaml.size() < 60'000 && (nested[0] != '[' || yaml.size() < 1000) &&
           (nested[0] != '{' || yaml.size() < 4000)) {
      yaml += nested;
    }
    CHECK(refused(yaml) != "accepted");
  }
}
