#include "registry/simple_signing.hpp"

#include <catch2/catch.hpp>

using namespace sbx;
using namespace sbx::registry;

namespace {

const std::string kDigest =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string payload(const std::string& type, const std::string& digest, const std::string& name,
                    const std::string& critical_extra = "", const std::string& extra = "") {
  return R"({"critical": {"type": ")" + type + R"(", "image": {"docker-manifest-digest": ")" +
         digest + R"("}, "identity": {"docker-reference": ")" + name + "\"}" + critical_extra +
         R"(}, "optional": {"creator": "x", "timestamp": 1, "anything": [{}]})" + extra + "}";
}

const std::string kType = "atomic container signature";

bool accepts(const std::string& rule, const std::string& image, const std::string& claimed) {
  const auto parsed =
      rule.empty() ? Result<IdentityRule>(IdentityRule()) : IdentityRule::parse(Json::parse(rule));
  REQUIRE(parsed);
  return parsed->accepts(oci::Reference::parse(image).value(), claimed);
}

}  // namespace

TEST_CASE("a claim is read from a payload of exactly the format") {
  const auto claim = SignedClaim::parse(payload(kType, kDigest, "quay.io/a/b:1"));
  REQUIRE(claim);
  CHECK(claim->identity == "quay.io/a/b:1");
  CHECK(claim->manifest.str() == kDigest);
}

TEST_CASE("a payload that says more or less in its critical part is refused") {
  CHECK_FALSE(SignedClaim::parse(payload("other signature", kDigest, "a")));
  CHECK_FALSE(SignedClaim::parse(payload(kType, "sha256:12", "a")));
  CHECK_FALSE(SignedClaim::parse(payload(kType, kDigest, "a", R"(, "more": 1)")));
  CHECK_FALSE(SignedClaim::parse(payload(kType, kDigest, "a", "", R"(, "more": 1)")));
  CHECK_FALSE(SignedClaim::parse(
      payload(kType, kDigest, "a", R"(, "type": "atomic container signature")")));
  CHECK_FALSE(SignedClaim::parse("{}"));
  CHECK_FALSE(SignedClaim::parse("[]"));
  CHECK_FALSE(SignedClaim::parse(R"({"critical": {}, "optional": []})"));
  CHECK_FALSE(SignedClaim::parse(R"({"critical": 1, "optional": {}})"));
  CHECK_FALSE(SignedClaim::parse(R"({"critical": {"type": "atomic container signature",
      "image": {"docker-manifest-digest": 1}, "identity": {"docker-reference": 2}}, "optional": {}})"));
  CHECK(SignedClaim::parse(payload(kType, kDigest, std::string(70'000, 'a'))).error().code ==
        ErrorCode::kLimit);
}

TEST_CASE("matchRepoDigestOrExact is the default") {
  for (const std::string& rule :
       {std::string(), std::string(R"({"type": "matchRepoDigestOrExact"})")}) {
    CHECK(accepts(rule, "busybox:1", "docker.io/library/busybox:1"));
    CHECK(accepts(rule, "busybox:1", "busybox:1"));
    CHECK_FALSE(accepts(rule, "busybox:1", "busybox:2"));
    CHECK_FALSE(accepts(rule, "busybox", "busybox"));  // names no tag
    CHECK(accepts(rule, "busybox@" + kDigest, "busybox:2"));
    CHECK(accepts(rule, "busybox:1@" + kDigest, "busybox:2"));
    CHECK_FALSE(accepts(rule, "busybox@" + kDigest, "busybox"));
    CHECK_FALSE(accepts(rule, "busybox@" + kDigest, "evil/busybox:2"));
    CHECK_FALSE(accepts(rule, "busybox:1", "not a name"));
  }
}

TEST_CASE("the other identities") {
  const std::string exact = R"({"type": "matchExact"})";
  CHECK(accepts(exact, "q.io/a:1", "q.io/a:1"));
  CHECK_FALSE(accepts(exact, "q.io/a@" + kDigest, "q.io/a:1"));
  CHECK(accepts(exact, "q.io/a@" + kDigest, "q.io/a@" + kDigest));

  const std::string repository = R"({"type": "matchRepository"})";
  CHECK(accepts(repository, "q.io/a:1", "q.io/a:2"));
  CHECK(accepts(repository, "q.io/a:1", "q.io/a"));
  CHECK_FALSE(accepts(repository, "q.io/a:1", "q.io/b:1"));

  const std::string reference = R"({"type": "exactReference", "dockerReference": "s.io/x:9"})";
  CHECK(accepts(reference, "q.io/a:1", "s.io/x:9"));
  CHECK_FALSE(accepts(reference, "s.io/x:8", "s.io/x:8"));

  const std::string one = R"({"type": "exactRepository", "dockerRepository": "s.io/x"})";
  CHECK(accepts(one, "q.io/a:1", "s.io/x:9"));
  CHECK_FALSE(accepts(one, "q.io/a:1", "s.io/xx:9"));
}

TEST_CASE("remapIdentity replaces a whole prefix") {
  const std::string remap =
      R"({"type": "remapIdentity", "prefix": "mirror.io/v", "signedPrefix": "vendor.io"})";
  CHECK(accepts(remap, "mirror.io/v/app:1", "vendor.io/app:1"));
  CHECK_FALSE(accepts(remap, "mirror.io/v/app:1", "vendor.io/app:2"));
  CHECK(accepts(remap, "mirror.io/v/app@" + kDigest, "vendor.io/app:2"));
  CHECK_FALSE(accepts(remap, "mirror.io/vv/app:1", "vendor.iov/app:1"));
  CHECK(accepts(remap, "other.io/app:1", "other.io/app:1"));
  const std::string host =
      R"({"type": "remapIdentity", "prefix": "mirror.io:5000", "signedPrefix": "docker.io"})";
  CHECK(accepts(host, "mirror.io:5000/library/busybox:1", "busybox:1"));
}

TEST_CASE("an identity that is not known, or has more members, is refused") {
  for (const char* bad :
       {R"({"type": "matchAnything"})", R"({})", R"([])", R"({"type": 1})",
        R"({"type": "matchExact", "more": 1})", R"({"type": "exactReference"})",
        R"({"type": "exactReference", "dockerReference": "s.io/x"})",
        R"({"type": "exactRepository", "dockerRepository": "s.io/x:1"})",
        R"({"type": "exactRepository", "dockerRepository": "S/"})",
        R"({"type": "remapIdentity", "prefix": "a"})",
        R"({"type": "remapIdentity", "prefix": "", "signedPrefix": "b"})",
        R"({"type": "remapIdentity", "prefix": "a", "signedPrefix": "b", "more": 1})"}) {
    CHECK_FALSE(IdentityRule::parse(Json::parse(bad)));
  }
}
