#include "registry/endpoint.hpp"

#include <catch2/catch.hpp>

using namespace sbx::registry;

TEST_CASE("docker.io is served by another host and keeps its old key") {
  CHECK(registry_host("docker.io") == "registry-1.docker.io");
  CHECK(registry_host("index.docker.io") == "registry-1.docker.io");
  CHECK(registry_host("quay.io") == "quay.io");
  CHECK(registry_host("localhost:5000") == "localhost:5000");
  CHECK(registry_name("registry-1.docker.io") == "docker.io");
  CHECK(registry_name("localhost:5000") == "localhost:5000");
  CHECK(credential_key("docker.io") == "https://index.docker.io/v1/");
  CHECK(credential_key("registry.example.org:5000") == "registry.example.org:5000");
}
