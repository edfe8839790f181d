#include "registry/policy.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

const oci::Digest kManifest =
    *oci::Digest::from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

Result<std::optional<std::string>> fetch_nothing(const std::string& url) {
  FAIL("fetched " << url);
  return std::optional<std::string>{};
}

/// "ok", or why not.
std::string verdict(const ConfigFixture& f, const std::string& name) {
  const auto policy = Policy::load(f.env);
  if (!policy) {
    return policy.error().message();
  }
  const auto allowed = policy->check(oci::Reference::parse(name).value(), kManifest, fetch_nothing);
  return allowed ? "ok" : allowed.error().message();
}

std::string refused(const std::string& text) {
  const auto policy = Policy::parse(text, "/p.json");
  return policy ? std::string("accepted") : policy.error().message();
}

std::string signed_by(const std::string& members) {
  return R"({"default": [{"type": "signedBy", "keyType": "GPGKeys")" + members + "}]}";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("without a policy everything is accepted, and the user's file comes first") {
  const ConfigFixture f;
  CHECK(verdict(f, "busybox") == "ok");
  f.write("/etc/containers/policy.json", R"({"default": [{"type": "reject"}]})");
  CHECK(has(verdict(f, "busybox"), "policy.json (default) rejects it"));
  f.write("~/.config/containers/policy.json",
          R"({"default": [{"type": "insecureAcceptAnything"}]})");
  CHECK(verdict(f, "busybox") == "ok");
}

TEST_CASE("only the most specific scope counts") {
  const ConfigFixture f;
  f.write("/etc/containers/policy.json", R"({"default": [{"type": "reject"}],
    "transports": {"docker": {
      "": [{"type": "reject"}],
      "docker.io": [{"type": "insecureAcceptAnything"}],
      "docker.io/evil": [{"type": "reject"}],
      "docker.io/evil/good": [{"type": "insecureAcceptAnything"}],
      "docker.io/evil/good:bad": [{"type": "insecureAcceptAnything"}, {"type": "reject"}],
      "h.io:5000": [{"type": "insecureAcceptAnything"}],
      "*.example.com": [{"type": "insecureAcceptAnything"}]},
     "dir": {"": [{"type": "insecureAcceptAnything"}]}}})");
  CHECK(verdict(f, "busybox") == "ok");
  CHECK(has(verdict(f, "evil/app"), "(docker.io/evil) rejects it"));
  CHECK(verdict(f, "evil/good") == "ok");
  CHECK(has(verdict(f, "evil/good:bad"), "(docker.io/evil/good:bad) rejects it"));
  CHECK(verdict(f, "h.io:5000/x") == "ok");
  CHECK(has(verdict(f, "h.io/x"), "(docker) rejects it"));
  CHECK(verdict(f, "a.b.example.com:80/x") == "ok");
  CHECK(has(verdict(f, "example.com/x"), "rejects it"));
}

TEST_CASE("a requirement that cannot be checked refuses the image") {
  const ConfigFixture f;
  f.write("/etc/containers/policy.json",
          R"({"default": [{"type": "sigstoreSigned", "keyPath": "/k"}],
    "transports": {"docker": {
      "x.io": [{"type": "insecureAcceptAnything"}, {"type": "fromTheFuture", "a": 1}],
      "y.io": [{"type": "signedBy", "keyType": "X509Certificates", "keyPath": "/k"}]}}})");
  CHECK(has(verdict(f, "busybox"), "requires sigstoreSigned, which sbx cannot check"));
  CHECK(has(verdict(f, "x.io/a"), "requires fromTheFuture, which sbx cannot check"));
  CHECK(has(verdict(f, "y.io/a"), "keyType X509Certificates, which sbx cannot check"));
}

TEST_CASE("whether gpg will be needed is known before") {
  const auto policy = Policy::parse(R"({"default": [{"type": "insecureAcceptAnything"}],
    "transports": {"docker": {"s.io": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/k"}]}}})",
                                    "/p.json");
  REQUIRE(policy);
  CHECK(policy->needs_gpg(oci::Reference::parse("s.io/a").value()));
  CHECK_FALSE(policy->needs_gpg(oci::Reference::parse("a").value()));
}

TEST_CASE("a policy is read strictly") {
  CHECK(has(refused("{"), "cannot read '/p.json'"));
  CHECK(has(refused("[]"), "not an object"));
  CHECK(has(refused("{}"), "no default"));
  CHECK(has(refused(R"({"default": []})"), "an empty one"));
  CHECK(has(refused(R"({"default": {}})"), "not a list"));
  CHECK(has(refused(R"({"default": [{"type": "reject"}], "x": 1})"), "'x' that is not known"));
  CHECK(has(refused(R"({"default": [{"type": "reject", "x": 1}]})"), "'x' that is not known"));
  CHECK(has(refused(R"({"default": [{"type": "reject"}], "default": [{"type": "reject"}]})"),
            "twice"));
  CHECK(has(refused(R"({"default": [{}]})"), "has no type"));
  CHECK(has(refused(R"({"default": [{"type": "reject"}], "transports": []})"), "not an object"));
  CHECK(has(refused(R"({"default": [{"type": "reject"}], "transports": {"docker": []}})"),
            "'docker' is not an object"));
  CHECK(has(refused(R"({"default": [{"type": "reject"}], "transports": {"docker": {"a.io": []}}})"),
            "'a.io' of 'docker'"));
  CHECK(has(refused(signed_by("")), "exactly one of"));
  CHECK(has(refused(signed_by(R"(, "keyPath": "/a", "keyData": "AAAA")")), "exactly one of"));
  CHECK(has(refused(signed_by(R"(, "keyPath": 1)")), "not of its type"));
  CHECK(has(refused(signed_by(R"(, "keyPaths": [])")), "empty"));
  CHECK(has(refused(signed_by(R"(, "keyData": "!")")), "not base64"));
  CHECK(has(refused(signed_by(R"(, "keyPath": "/a", "signedIdentity": {"type": "x"})")),
            "signedIdentity: its type 'x'"));
  CHECK(has(refused(signed_by(R"(, "keyPath": "/a", "x": 1)")), "'x' that is not known"));
  CHECK(refused(
            signed_by(R"(, "keyPaths": ["/a", "/b"], "signedIdentity": {"type": "matchExact"})")) ==
        "accepted");
}
