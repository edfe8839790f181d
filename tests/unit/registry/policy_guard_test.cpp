#include "registry/policy_guard.hpp"

#include "config_fixture.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

const oci::Digest kManifest =
    *oci::Digest::from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

oci::Reference name(const char* text) { return oci::Reference::parse(text).value(); }

/// Without a keyring, so that gpg is not needed: the answer is an error about it, after the signatures were fetched.
void write_policy(const ConfigFixture& f) {
  f.write("/etc/containers/policy.json",
          R"({"default": [{"type": "reject"}], "transports": {"docker": {
    "s.io": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/nowhere/key.gpg"}],
    "free.io": [{"type": "insecureAcceptAnything"}]}}})");
  f.write("/etc/containers/registries.d/s.yaml",
          "docker:\n  s.io:\n    lookaside: https://sig.io/x\n");
}

}  // namespace

TEST_CASE("the guard asks the other process, which has us fetch") {
  const ConfigFixture f;
  write_policy(f);
  const auto guard = PolicyGuard::start(Policy::load(f.env).value(), {name("s.io/a:1")});
  REQUIRE(guard);
  std::vector<std::string> fetched;
  const auto fetch = [&](const std::string& url) -> Result<std::optional<std::string>> {
    fetched.push_back(url);
    return fetched.size() == 1 ? std::optional(std::string("\x88\0\xff", 3)) : std::nullopt;
  };
  for (int round = 0; round < 2; ++round) {
    fetched.clear();
    const auto verdict = guard->check(name("s.io/a:1"), kManifest, fetch);
    REQUIRE_FALSE(verdict);
    CHECK(verdict.error().message().find("/nowhere/key.gpg") != std::string::npos);
    REQUIRE(fetched.size() == 2);
    CHECK(fetched[1] == "https://sig.io/x/a@sha256=" + kManifest.hex() + "/signature-2");
  }
  CHECK(guard->check(name("free.io/a"), kManifest, fetch));
  CHECK(guard->check(name("other.io/a"), kManifest, fetch).error().code == ErrorCode::kDenied);
}

TEST_CASE("a failing fetch is the answer, with its words") {
  const ConfigFixture f;
  write_policy(f);
  const auto guard = PolicyGuard::start(Policy::load(f.env).value(), {name("s.io/a:1")});
  REQUIRE(guard);
  const auto verdict =
      guard->check(name("s.io/a:1"), kManifest,
                   [](const std::string& url) -> Result<std::optional<std::string>> {
                     return fail(Error::make(ErrorCode::kDenied, "fetch", url, "status 403"));
                   });
  REQUIRE_FALSE(verdict);
  CHECK(verdict.error().reason == "status 403");
  const auto large = guard->check(name("s.io/a:1"), kManifest,
                                  [](const std::string&) -> Result<std::optional<std::string>> {
                                    return std::optional(std::string((1U << 20U) + 1, 'x'));
                                  });
  CHECK(large.error().code == ErrorCode::kLimit);
}

TEST_CASE("no process is started where none is needed, and then nothing signed is accepted") {
  const ConfigFixture f;
  write_policy(f);
  const auto guard = PolicyGuard::start(Policy::load(f.env).value(), {name("free.io/a")});
  REQUIRE(guard);
  const auto fetch = [](const std::string&) -> Result<std::optional<std::string>> {
    return std::optional<std::string>{};
  };
  CHECK(guard->check(name("free.io/a"), kManifest, fetch));
  CHECK_FALSE(guard->check(name("s.io/a:1"), kManifest, fetch));
}
