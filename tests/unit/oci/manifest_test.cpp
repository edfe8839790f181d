#include "oci/manifest.hpp"

#include <catch2/catch.hpp>

#include "oci/index.hpp"

using sbx::ErrorCode;
using sbx::Json;
using sbx::oci::Index;
using sbx::oci::Manifest;
using sbx::oci::MediaType;

namespace {

const std::string kDigest =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

Json good_manifest() {
  return {{"schemaVersion", 2},
          {"mediaType", sbx::oci::kOciManifestType},
          {"config", {{"mediaType", sbx::oci::kOciConfigType}, {"digest", kDigest}, {"size", 10}}},
          {"layers", {{{"mediaType", sbx::oci::kOciLayerType}, {"digest", kDigest}, {"size", 20}}}},
          {"unknown", true}};
}

ErrorCode refused(const Json& document, MediaType type = MediaType::kOciManifest) {
  const auto manifest = Manifest::parse(document.dump(), type, "test");
  REQUIRE_FALSE(manifest);
  return manifest.error().code;
}

}  // namespace

TEST_CASE("an OCI manifest is read and written") {
  const auto manifest = Manifest::parse(good_manifest().dump(), MediaType::kOciManifest, "test");
  REQUIRE(manifest);
  CHECK(manifest->config.size == 10);
  CHECK(manifest->layers.at(0).digest.str() == kDigest);
  CHECK(Manifest::parse(manifest->serialise(), MediaType::kOciManifest, "again"));
}

TEST_CASE("one manifest as OCI's and as docker's: types go together") {
  const auto manifest = Manifest::parse(good_manifest().dump(), MediaType::kOciManifest, "test");
  REQUIRE(manifest);
  const auto docker = manifest->serialise_docker();
  REQUIRE(docker);
  CHECK(docker->find("oci") == std::string::npos);
  auto again = Manifest::parse(*docker, MediaType::kDockerManifest, "again");
  REQUIRE(again);
  CHECK(again->layers.at(0).media_type == sbx::oci::kDockerLayerType);
  CHECK(again->serialise().find("docker") == std::string::npos);
  CHECK(again->serialise() == manifest->serialise());
  again->layers.at(0).media_type = std::string(sbx::oci::kOciLayerType) + "+zstd";
  CHECK(again->serialise_docker().error().code == ErrorCode::kUnsupported);
}

TEST_CASE("docker's schema 2 is read, schema 1 refused by name") {
  Json docker = good_manifest();
  docker["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json";
  docker["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json";
  docker["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip";
  CHECK(Manifest::parse(docker.dump(), MediaType::kDockerManifest, "test"));
  const Json old{{"schemaVersion", 1}, {"fsLayers", Json::array()}};
  CHECK(refused(old, MediaType::kDockerSchema1) == ErrorCode::kUnsupported);
  CHECK(refused(old) == ErrorCode::kUnsupported);
}

TEST_CASE("a document that could be read in two ways is refused") {
  Json both = good_manifest();
  both["manifests"] = Json::array();
  CHECK(refused(both) == ErrorCode::kCorrupt);
  Json other = good_manifest();
  other["mediaType"] = sbx::oci::kOciIndexType;
  CHECK(refused(other) == ErrorCode::kCorrupt);
  CHECK_FALSE(Index::parse(both.dump(), MediaType::kOciIndex, "test"));
}

TEST_CASE("what is no runnable image is refused") {
  Json artifact = good_manifest();
  artifact["config"]["mediaType"] = "application/vnd.oci.empty.v1+json";
  CHECK(refused(artifact) == ErrorCode::kUnsupported);
  Json encrypted = good_manifest();
  encrypted["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted";
  CHECK(refused(encrypted) == ErrorCode::kUnsupported);
  Json empty = good_manifest();
  empty["layers"] = Json::array();
  CHECK(refused(empty) == ErrorCode::kCorrupt);
  Json negative = good_manifest();
  negative["layers"][0]["size"] = -1;
  CHECK(refused(negative) == ErrorCode::kCorrupt);
  Json many = good_manifest();
  many["layers"] = Json::array();
  for (int i = 0; i < 600; ++i) {
    many["layers"].push_back(good_manifest()["layers"][0]);
  }
  CHECK(refused(many) == ErrorCode::kLimit);
}

TEST_CASE("an index is read with platforms and annotations, and written again") {
  const Json document{
      {"schemaVersion", 2},
      {"manifests",
       {{{"mediaType", sbx::oci::kOciManifestType},
         {"digest", kDigest},
         {"size", 3},
         {"platform", {{"os", "linux"}, {"architecture", "arm64"}, {"variant", "v8"}}},
         {"annotations", {{"org.opencontainers.image.ref.name", "x"}}}}}}};
  const auto index = Index::parse(document.dump(), MediaType::kOciIndex, "test");
  REQUIRE(index);
  CHECK(index->manifests.at(0).platform->str() == "linux/arm64");
  const auto again = Index::parse(index->serialise(), MediaType::kOciIndex, "again");
  REQUIRE(again);
  CHECK(again->manifests.at(0).annotations.at("org.opencontainers.image.ref.name") == "x");
}
