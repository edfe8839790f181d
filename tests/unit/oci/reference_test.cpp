#include "oci/reference.hpp"

#include <catch2/catch.hpp>

using sbx::oci::Reference;

namespace {

const std::string kDigest =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string full(const std::string& text) {
  const auto reference = Reference::parse(text);
  return reference ? reference->str() : "error";
}

}  // namespace

TEST_CASE("names are completed as docker completes them") {
  CHECK(full("busybox") == "docker.io/library/busybox:latest");
  CHECK(full("busybox:1.36") == "docker.io/library/busybox:1.36");
  CHECK(full("user/app") == "docker.io/user/app:latest");
  CHECK(full("index.docker.io/busybox") == "docker.io/library/busybox:latest");
  CHECK(full("docker.io/library/busybox") == "docker.io/library/busybox:latest");
  CHECK(full("localhost/app:x") == "localhost/app:x");
  CHECK(full("localhost:5000/a/b") == "localhost:5000/a/b:latest");
  CHECK(full("ghcr.io/Org") == "error");
  CHECK(full("Host/app") == "Host/app:latest");
  CHECK(full("[::1]:5000/app") == "[::1]:5000/app:latest");
  CHECK(full("app@" + kDigest) == "docker.io/library/app@" + kDigest);
  CHECK(full("app:1@" + kDigest) == "docker.io/library/app:1@" + kDigest);
  CHECK(full("f/a.b_c__d---e") == "docker.io/f/a.b_c__d---e:latest");
}

TEST_CASE("what is no name is refused") {
  for (const std::string& bad : {std::string(),
                                 std::string("A"),
                                 std::string("a:"),
                                 std::string("a:-x"),
                                 std::string("/a"),
                                 std::string("a/"),
                                 std::string("a//b"),
                                 std::string("a..b"),
                                 std::string("a___b"),
                                 std::string("a_"),
                                 std::string("a@b"),
                                 std::string("../a"),
                                 std::string("a b"),
                                 std::string("host:port/a"),
                                 std::string("-host.x/a"),
                                 kDigest.substr(7),
                                 "a:" + std::string(129, 'x'),
                                 std::string(300, 'a'),
                                 std::string(600, 'a'),
                                 std::string("a\0b", 3),
                                 std::string("a@sha256:1")}) {
    CHECK(full(bad) == "error");
  }
}

TEST_CASE("the familiar form is what people type") {
  CHECK(Reference::parse("docker.io/library/busybox:1")->familiar() == "busybox:1");
  CHECK(Reference::parse("docker.io/user/app")->familiar() == "user/app:latest");
  CHECK(Reference::parse("quay.io/x/y")->familiar() == "quay.io/x/y:latest");
}
