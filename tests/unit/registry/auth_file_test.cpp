#include "registry/auth_file.hpp"

#include <catch2/catch.hpp>

#include "base/base64.hpp"

using namespace sbx;
using namespace sbx::registry;

namespace {

AuthFile file(const std::string& text, AuthFormat format = AuthFormat::kCurrent) {
  return AuthFile::parse(text, "/a.json", format).value();
}

std::string entry(const std::string& user, const std::string& password) {
  return R"({"auth": ")" + encode_base64(user + ":" + password) + "\"}";
}

/// "user:password", "-" for nothing, or the error.
std::string found(const AuthFile& auth, const std::string& host, const std::string& repository) {
  const auto credentials = auth.find(host, repository);
  if (!credentials) {
    return credentials.error().message();
  }
  return *credentials ? (*credentials)->username + ":" + (*credentials)->password : "-";
}

}  // namespace

TEST_CASE("the most specific entry wins") {
  const AuthFile auth = file(R"({"auths": {"h.io": )" + entry("host", "p:q") + R"(,
      "h.io/n": )" + entry("ns", "") +
                             R"(, "h.io/n/r": )" + entry("repo", "x") + "}}");
  CHECK(found(auth, "h.io", "n/r") == "repo:x");
  CHECK(found(auth, "h.io", "n/s") == "ns:");
  CHECK(found(auth, "h.io", "n/r/t") == "repo:x");
  CHECK(found(auth, "h.io", "nn/r") == "host:p:q");
  CHECK(found(auth, "h.io", "") == "host:p:q");
  CHECK(found(auth, "h.io:5000", "n/r") == "-");
}

TEST_CASE("docker.io is found under all its names, and hosts under their URLs") {
  for (const char* key : {"https://index.docker.io/v1/", "index.docker.io", "docker.io",
                          "https://registry-1.docker.io/v2/", "registry-1.docker.io"}) {
    const AuthFile auth =
        file(std::string(R"({"auths": {")") + key + "\": " + entry("u", "p") + "}}");
    CHECK(found(auth, "docker.io", "library/x") == "u:p");
    CHECK(found(auth, "registry-1.docker.io", "library/x") == "u:p");
    CHECK(found(auth, "h.io", "library/x") == "-");
  }
  const AuthFile url = file(R"({"auths": {"https://h.io/v1/": )" + entry("u", "p") + "}}");
  CHECK(found(url, "h.io", "v1/x") == "u:p");
}

TEST_CASE("~/.dockercfg knows hosts only") {
  const AuthFile auth = file(
      R"({"https://h.io/v1/": )" + entry("u", "p") + R"(, "g.io/n": )" + entry("ns", "p") + "}",
      AuthFormat::kDockercfg);
  CHECK(found(auth, "h.io", "x") == "u:p");
  CHECK(found(auth, "g.io", "n/x") == "ns:p");
}

TEST_CASE("identity tokens, plain members and empty entries") {
  const AuthFile auth = file(R"({"auths": {"t.io": {"auth": ")" + encode_base64("u:") +
                             R"(", "identitytoken": "secret-token"},
      "plain.io": {"username": "u", "password": "p"}, "mark.io": {}, "null.io": {"auth": null},
      "padded.io": {"auth": ")" +
                             encode_base64(std::string("u:p\0\0", 5)) + R"("}},
      "credHelpers": {"https://index.docker.io/v1/": "hub", "h.io": "x"}, "credsStore": "desktop"})");
  CHECK((*auth.find("t.io", "x"))->identity_token == "secret-token");
  CHECK(found(auth, "plain.io", "") == "u:p");
  CHECK(found(auth, "mark.io", "") == "-");
  CHECK(found(auth, "null.io", "") == "-");
  CHECK(found(auth, "padded.io", "") == "u:p");
  CHECK(auth.helper_for("docker.io") == "hub");
  CHECK(auth.helper_for("h.io") == "x");
  CHECK(auth.helper_for("g.io").empty());
  CHECK(auth.default_helper() == "desktop");
  const auto list = auth.list();
  CHECK(list.at("t.io") == "u");
  CHECK(list.at("docker.io").empty());
  CHECK(list.contains("mark.io"));
}

TEST_CASE("what is wrong is said without quoting a secret") {
  const std::string secret = "hunter2hunter2";
  for (const std::string& bad : std::vector<std::string>{
           "{\"auths\": {\"h.io\": {\"auth\": \"" + encode_base64(secret) + "\"}}}",
           "{\"auths\": {\"h.io\": {\"auth\": \"" + secret + "!\"}}}",
           "{\"auths\": {\"h.io\": {\"auth\": 1}}}", "{\"auths\": {\"h.io\": \"" + secret + "\"}}",
           "{\"auths\": {\"h.io\": {\"auth\": \"" + encode_base64("u:" + std::string(70'000, 'x')) +
               "\"}}}"}) {
    const std::string text = found(file(bad), "h.io", "x");
    CHECK(text.find("cannot read '/a.json': the entry 'h.io'") == 0);
    CHECK(text.find("hunter") == std::string::npos);
  }
  for (const std::string& bad : std::vector<std::string>{
           "{\"auths\": {\"h.io\": {\"auth\": \"" + secret, "[\"" + secret + "\"]",
           "{\"auths\": \"" + secret + "\"}", "{\"credHelpers\": {\"h\": 1}}",
           std::string("{\"credsStore\": 1}")}) {
    const auto parsed = AuthFile::parse(bad, "/a.json", AuthFormat::kCurrent);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message().find("hunter") == std::string::npos);
  }
  CHECK(found(file(""), "h.io", "x") == "-");
  CHECK(found(file(" \n"), "h.io", "x") == "-");
}

TEST_CASE("entries are changed, and what is not ours is kept") {
  AuthFile auth = file(R"({"auths": {"index.docker.io": {"auth": "eDp5"}, "h.io": {"auth": "eDp5"}},
      "HttpHeaders": {"User-Agent": "x"}, "psFormat": "table"})");
  auth.set("docker.io", {"u", "p", ""});
  auth.set("h.io/n", {"u", "", "token"});
  const Json written = Json::parse(auth.serialise());
  CHECK(written ==
        Json::parse(R"({"auths": {"docker.io": {"auth": "dTpw"}, "h.io": {"auth": "eDp5"},
      "h.io/n": {"auth": "dTo=", "identitytoken": "token"}},
      "HttpHeaders": {"User-Agent": "x"}, "psFormat": "table"})"));
  CHECK(auth.remove("https://index.docker.io/v1/"));
  CHECK_FALSE(auth.remove("docker.io"));
  CHECK(found(auth, "docker.io", "x") == "-");
  AuthFile empty = file("");
  empty.set("h.io", {"u", "p", ""});
  CHECK(Json::parse(empty.serialise()) == Json::parse(R"({"auths": {"h.io": {"auth": "dTpw"}}})"));
}
