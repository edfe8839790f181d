#include "registry/registry_error.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("error bodies of registries") {
  CHECK(
      describe_error_body(
          R"({"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown","detail":{"Tag":"x"}}]})") ==
      "MANIFEST_UNKNOWN: manifest unknown");
  CHECK(describe_error_body(R"({"errors":[{"code":"A"},{"message":"b"}]})") == "A; b");
  CHECK(describe_error_body(R"({"details":"incorrect username or password"})") ==
        "incorrect username or password");
  CHECK(describe_error_body("404 page not found\nmore") == "404 page not found");
}

TEST_CASE("error bodies that say nothing, or too much") {
  CHECK(describe_error_body("").empty());
  CHECK(describe_error_body(" \n").empty());
  CHECK(describe_error_body("<html>no</html>").empty());
  CHECK(describe_error_body("[1]") == "[1]");
  CHECK(describe_error_body(R"({"errors":"none"})").empty());
  CHECK(describe_error_body(R"({"errors":[1,null,{"code":2}]})").empty());
  CHECK(describe_error_body("\x1b[2Jevil").find('\x1b') == std::string::npos);
  std::string many = R"({"errors":[)";
  for (int i = 0; i < 100; ++i) {
    many += R"({"code":"C","message":")" + std::string(400, 'm') + "\"},";
  }
  many.back() = ']';
  CHECK(describe_error_body(many + "}").size() < 600);
}

TEST_CASE("a refusal says who, what, how and what to do") {
  const Asked asked{"read manifest", "docker.io/library/x:1", "registry-1.docker.io"};
  const sbx::Error denied = refusal(asked, 401, "UNAUTHORIZED: no");
  CHECK(denied.code == sbx::ErrorCode::kDenied);
  CHECK(denied.message().find(
            "cannot read manifest 'docker.io/library/x:1': the registry docker.io answers 401 "
            "Unauthorized (UNAUTHORIZED: no)") == 0);
  CHECK(denied.hint.find("sbx login docker.io") != std::string::npos);
  CHECK(refusal(asked, 404, "").code == sbx::ErrorCode::kNotFound);
  CHECK(refusal(asked, 429, "").code == sbx::ErrorCode::kBusy);
  CHECK(refusal(asked, 503, "").hint.find("later") != std::string::npos);
  CHECK(refusal(asked, 418, "").reason == "the registry docker.io answers 418");
}
