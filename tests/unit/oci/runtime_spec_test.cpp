#include "oci/runtime_spec.hpp"

#include <catch2/catch.hpp>

using sbx::oci::RuntimeSpec;
using sbx::oci::to_json;

TEST_CASE("a runtime configuration has the members of the OCI specification") {
  RuntimeSpec spec;
  spec.hostname = "box";
  spec.read_only_root = true;
  spec.process.args = {"true"};
  spec.process.user.additional_gids = std::vector<gid_t>{5};
  spec.process.capabilities = {"CAP_CHOWN"};
  spec.mounts = {{"/proc", "proc", "proc", {"nosuid"}}};
  spec.uid_mappings = {{0, 1000, 1}};
  spec.namespaces = {"user", "pid"};
  spec.annotations = {{"org.opencontainers.image.stopSignal", "SIGINT"}};
  const auto json = to_json(spec);
  CHECK(json["ociVersion"] == "1.2.0");
  CHECK(json["root"]["readonly"] == true);
  CHECK(json["process"]["user"]["additionalGids"] == nlohmann::json({5}));
  CHECK(json["process"]["capabilities"]["bounding"] == nlohmann::json({"CAP_CHOWN"}));
  CHECK(json["mounts"][0]["destination"] == "/proc");
  CHECK(json["linux"]["uidMappings"][0]["hostID"] == 1000);
  CHECK(json["linux"]["namespaces"][1]["type"] == "pid");
  CHECK(json["annotations"]["org.opencontainers.image.stopSignal"] == "SIGINT");
}

TEST_CASE("groups that are kept are not listed") {
  CHECK_FALSE(to_json(RuntimeSpec{})["process"]["user"].contains("additionalGids"));
}

TEST_CASE("what is written is read again") {
  RuntimeSpec spec;
  spec.hostname = "box";
  spec.process.args = {"sleep", "1"};
  spec.process.env = {"A=b"};
  spec.process.cwd = "/tmp";
  spec.process.terminal = true;
  spec.process.user = {7, 8, std::vector<gid_t>{9}};
  spec.process.capabilities = {"CAP_CHOWN"};
  spec.mounts = {{"/data", "bind", "/srv", {"rbind", "ro"}}};
  spec.devices = {{"/dev/fuse", "/dev/fuse"}};
  spec.uid_mappings = {{0, 1000, 1}, {1, 100000, 65536}};
  spec.namespaces = {"user", "pid"};
  spec.masked_paths = {"/proc/kcore"};
  spec.read_only_paths = {"/proc/sys"};
  spec.annotations = {{"a", "b"}};
  const auto json = to_json(spec);
  const auto again = sbx::oci::runtime_spec_from_json(json);
  REQUIRE(again);
  CHECK(to_json(*again) == json);
  CHECK(again->devices.front().source == "/dev/fuse");
}

TEST_CASE("a runtime configuration that cannot be is refused") {
  RuntimeSpec spec;
  spec.process.args = {"true"};
  for (const auto& [pointer, value] :
       {std::pair("/process/args", nlohmann::json::array()),
        std::pair("/process/user/uid", nlohmann::json(-1)),
        std::pair("/process/user/additionalGids", nlohmann::json({4294967296})),
        std::pair("/mounts", nlohmann::json({"text"})),
        std::pair("/process/env", nlohmann::json(3)),
        std::pair("/linux/uidMappings", nlohmann::json({{{"size", 4294967296}}}))}) {
    auto json = to_json(spec);
    json[nlohmann::json::json_pointer(pointer)] = value;
    CAPTURE(pointer);
    CHECK_FALSE(sbx::oci::runtime_spec_from_json(json));
  }
}
